//! Other colours as Y, Cb and Cr, in the full range of a byte.
//! (Source: ITU-T T.871, 7.)

/// For channels that say nothing.
const NEUTRAL: u8 = 128;

/// Fixed-point numbers have so many bits after the point.
const BITS: u32 = 16;
const HALF: i32 = 1 << (BITS - 1);

pub(crate) const fn ycc_of_rgb([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (red, green, blue) = (red as i32, green as i32, blue as i32);
    // The largest sum is below 2^25. Each result is between 0 and 256 × 2^16, less a half.
    let luma = (19_595 * red + 38_470 * green + 7_471 * blue + HALF) >> BITS;
    let middle = (128 << BITS) + HALF - 1;
    let cb = (-11_059 * red - 21_709 * green + 32_768 * blue + middle) >> BITS;
    let cr = (32_768 * red - 27_439 * green - 5_329 * blue + middle) >> BITS;
    [luma as u8, cb as u8, cr as u8]
}

pub(crate) fn rgb_to_ycc(rgb: &[u8], ycc: &mut [u8]) {
    for (rgb, ycc) in rgb.as_chunks().0.iter().zip(ycc.as_chunks_mut().0) {
        *ycc = ycc_of_rgb(*rgb);
    }
}

pub(crate) fn grey_to_ycc(grey: &[u8], ycc: &mut [u8]) {
    for (&grey, ycc) in grey.iter().zip(ycc.as_chunks_mut().0) {
        *ycc = [grey, NEUTRAL, NEUTRAL];
    }
}

/// Samples are inverted, as Adobe's programs write them: 255 is no ink.
pub(crate) fn cmyk_to_ycc(cmyk: &[u8], ycc: &mut [u8]) {
    for (&[cyan, magenta, yellow, black], ycc) in
        cmyk.as_chunks().0.iter().zip(ycc.as_chunks_mut().0)
    {
        *ycc = ycc_of_rgb([cyan, magenta, yellow].map(|ink| scaled(ink, black)));
    }
}

/// A transparent pixel as it looks on paper.
pub(crate) fn on_white([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    [red, green, blue].map(|sample| scaled(sample, alpha).saturating_add(255 - alpha))
}

/// The product of two shares of 255.
const fn scaled(sample: u8, share: u8) -> u8 {
    // At most 255.
    ((sample as u32 * share as u32 + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_the_standard() {
        for rgb in [
            [0, 0, 0],
            [255, 255, 255],
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
            [12, 200, 99],
        ] {
            let [red, green, blue] = rgb.map(f64::from);
            let expected = [
                0.299 * red + 0.587 * green + 0.114 * blue,
                -0.168_735_9 * red - 0.331_264_1 * green + 0.5 * blue + 128.0,
                0.5 * red - 0.418_687_6 * green - 0.081_312_4 * blue + 128.0,
            ];
            for (seen, expected) in ycc_of_rgb(rgb).into_iter().zip(expected) {
                assert!(
                    (f64::from(seen) - expected).abs() <= 0.51,
                    "{rgb:?}: {seen} {expected}"
                );
            }
        }
    }

    #[test]
    fn ink_and_transparency_are_on_white_paper() {
        let mut ycc = [0; 6];
        cmyk_to_ycc(&[255, 255, 255, 255, 255, 255, 255, 0], &mut ycc);
        assert_eq!(ycc, [255, 128, 128, 0, 128, 128]);
        assert_eq!(on_white([10, 20, 30, 0]), [255; 3]);
        assert_eq!(on_white([10, 20, 30, 255]), [10, 20, 30]);
        assert_eq!(on_white([0, 255, 0, 128]), [127, 255, 127]);
    }
}
