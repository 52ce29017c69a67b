//! Unpacks formats without sub-blocks: the legacy formats (Q4_0 to Q8_0), code books of 32 weights
//! and the short codes of 64 and 128 weights. The float factors are read by `Factors::read`.

use super::UnpackedBlock;

pub(crate) fn q4_0(bytes: &[u8], block: &mut UnpackedBlock) {
    nibbles(&bytes[2..18], &mut block.codes);
}

pub(crate) fn q4_1(bytes: &[u8], block: &mut UnpackedBlock) {
    nibbles(&bytes[4..20], &mut block.codes);
}

pub(crate) fn q5_0(bytes: &[u8], block: &mut UnpackedBlock) {
    nibbles(&bytes[6..22], &mut block.codes);
    fifth_bits(&bytes[2..6], &mut block.codes);
}

pub(crate) fn q5_1(bytes: &[u8], block: &mut UnpackedBlock) {
    nibbles(&bytes[8..24], &mut block.codes);
    fifth_bits(&bytes[4..8], &mut block.codes);
}

pub(crate) fn q8_0(bytes: &[u8], block: &mut UnpackedBlock) {
    block.codes[..32].copy_from_slice(&bytes[2..34]);
}

pub(crate) fn mxfp4(bytes: &[u8], block: &mut UnpackedBlock) {
    nibbles(&bytes[1..17], &mut block.codes);
}

/// Four factors, then for each 16 codes eight bytes of nibbles.
pub(crate) fn nvfp4(bytes: &[u8], block: &mut UnpackedBlock) {
    for (bytes, codes) in bytes[4..36].chunks_exact(8).zip(block.codes.chunks_exact_mut(16)) {
        nibbles(bytes, codes);
    }
}

pub(crate) fn q1_0(bytes: &[u8], block: &mut UnpackedBlock) {
    for (i, code) in block.codes[..128].iter_mut().enumerate() {
        *code = bytes[2 + i / 8] >> (i % 8) & 1;
    }
}

pub(crate) fn q2_0(bytes: &[u8], block: &mut UnpackedBlock) {
    for (i, code) in block.codes[..64].iter_mut().enumerate() {
        *code = bytes[2 + i / 4] >> (i % 4 * 2) & 3;
    }
}

/// Low nibbles are the first half of the codes, high nibbles the second.
pub(super) fn nibbles(bytes: &[u8], codes: &mut [u8]) {
    for (i, byte) in bytes.iter().enumerate() {
        codes[i] = byte & 15;
        codes[i + bytes.len()] = byte >> 4;
    }
}

fn fifth_bits(bytes: &[u8], codes: &mut [u8; 256]) {
    for (i, code) in codes[..32].iter_mut().enumerate() {
        *code |= (bytes[i / 8] >> (i % 8) & 1) << 4;
    }
}
