//! As much of complex arithmetic as the model needs, in a fixed order of operations.

#[derive(Clone, Copy, Debug)]
pub(super) struct Complex {
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Complex {
    pub(super) fn unit(angle: f64) -> Complex {
        let (im, re) = libm::sincos(angle);
        Complex { re, im }
    }

    #[inline]
    pub(super) fn times(self, other: Complex) -> Complex {
        Complex { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    #[inline]
    pub(super) fn plus(self, factor: f64, other: Complex) -> Complex {
        Complex { re: self.re + factor * other.re, im: self.im + factor * other.im }
    }
}
