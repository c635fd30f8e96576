//! As much of linear algebra as the filter needs, for sizes that are known: fixed arrays, a fixed order of operations.

/// Of the whole state without the light adaptation: R, ψ, τ, ln g, δ, β, w.
pub(super) const STATE: usize = 7;

/// Of what moves or makes move: R, ψ, τ, ln g.
pub(super) const MOVING: usize = 4;

pub(super) type Vector<const N: usize> = [f64; N];
pub(super) type Matrix<const N: usize> = [[f64; N]; N];

/// Added to a diagonal, relative to it, until a factor exists.
const JITTER: f64 = 1e-9;
const MOST_JITTERS: usize = 8;

/// The lower Cholesky factor of the leading `N` × `N` block. A block that rounding has made indefinite gets a little more
/// variance; one beyond repair is taken as its diagonal.
pub(super) fn cholesky<const N: usize, const M: usize>(matrix: &Matrix<M>) -> Matrix<N> {
    let mut jitter = 0.0;
    for _ in 0..MOST_JITTERS {
        if let Some(factor) = try_cholesky(matrix, jitter) {
            return factor;
        }
        jitter = if jitter > 0.0 { jitter * 100.0 } else { JITTER };
    }
    let mut factor = [[0.0; N]; N];
    for (index, row) in factor.iter_mut().enumerate() {
        row[index] = libm::sqrt(matrix[index][index].max(JITTER));
    }
    factor
}

fn try_cholesky<const N: usize, const M: usize>(matrix: &Matrix<M>, jitter: f64) -> Option<Matrix<N>> {
    let mut factor = [[0.0; N]; N];
    for row in 0..N {
        for column in 0..=row {
            let mut sum = matrix[row][column];
            for (left, right) in factor[row][..column].iter().zip(&factor[column][..column]) {
                sum -= left * right;
            }
            if row == column {
                let pivot = sum + jitter * matrix[row][row].max(f64::MIN_POSITIVE);
                // False for NaN too.
                if !(pivot > 0.0) {
                    return None;
                }
                factor[row][row] = libm::sqrt(pivot);
            } else {
                factor[row][column] = sum / factor[column][column];
            }
        }
    }
    Some(factor)
}

/// x with L x = b.
pub(super) fn solve_lower<const N: usize>(factor: &Matrix<N>, b: &Vector<N>) -> Vector<N> {
    let mut x = [0.0; N];
    for row in 0..N {
        let mut sum = b[row];
        for column in 0..row {
            sum -= factor[row][column] * x[column];
        }
        x[row] = sum / factor[row][row];
    }
    x
}

pub(super) fn dot<const N: usize>(a: &Vector<N>, b: &Vector<N>) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

pub(super) fn apply<const N: usize>(matrix: &Matrix<N>, vector: &Vector<N>) -> Vector<N> {
    std::array::from_fn(|row| dot(&matrix[row], vector))
}

/// Makes both halves the mean of the two.
pub(super) fn symmetrize<const N: usize>(matrix: &mut Matrix<N>) {
    for row in 0..N {
        for column in 0..row {
            let mean = 0.5 * (matrix[row][column] + matrix[column][row]);
            matrix[row][column] = mean;
            matrix[column][row] = mean;
        }
    }
}

/// (I − k hᵀ) P (I − k hᵀ)ᵀ + r k kᵀ: the covariance after an observation of hᵀx with variance r taken in with gain k, in
/// the form that stays positive definite for any k.
pub(super) fn joseph<const N: usize>(p: &Matrix<N>, h: &Vector<N>, k: &Vector<N>, r: f64) -> Matrix<N> {
    // (I − k hᵀ) P: every row less k_row times hᵀP.
    let hp: Vector<N> = std::array::from_fn(|column| (0..N).fold(0.0, |sum, row| sum + h[row] * p[row][column]));
    let left: Matrix<N> = std::array::from_fn(|row| std::array::from_fn(|column| p[row][column] - k[row] * hp[column]));
    let lh: Vector<N> = std::array::from_fn(|row| dot(&left[row], h));
    let mut result: Matrix<N> = std::array::from_fn(|row| {
        std::array::from_fn(|column| left[row][column] - lh[row] * k[column] + r * k[row] * k[column])
    });
    symmetrize(&mut result);
    result
}
