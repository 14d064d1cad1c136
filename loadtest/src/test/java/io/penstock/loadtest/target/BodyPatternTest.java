package io.penstock.loadtest.target;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BodyPatternTest {
  private static final long FAR = 5_000_000_000L;

  @Test
  void everyRangeIsTheSameBytesFromItsOffset() {
    byte[] piece = new byte[3 * BodyPattern.PERIOD];

    BodyPattern.fill(FAR, piece, 0, piece.length);

    assertThat(piece[0]).isEqualTo(BodyPattern.at(FAR));
    assertThat(piece[piece.length - 1]).isEqualTo(BodyPattern.at(FAR + piece.length - 1));
    assertThat(BodyPattern.mismatch(FAR, piece, piece.length)).isEqualTo(-1);
  }

  @Test
  void oneChangedByteIsFoundAtItsPlace() {
    byte[] piece = new byte[BodyPattern.PERIOD + 10];
    BodyPattern.fill(7, piece, 0, piece.length);

    piece[BodyPattern.PERIOD + 3] ^= 1;

    assertThat(BodyPattern.mismatch(7, piece, piece.length)).isEqualTo(BodyPattern.PERIOD + 3);
  }

  @Test
  void aPieceMovedByAnyUsualSizeIsFound() {
    byte[] piece = new byte[4096];
    for (int shift : new int[] {1, 512, 4096, 16_384, 65_519, 65_536, 1 << 20, 1 << 24}) {
      BodyPattern.fill(shift, piece, 0, piece.length);

      assertThat(BodyPattern.mismatch(0, piece, piece.length))
          .as("shift %d", shift)
          .isBetween(0, 16);
    }
  }

  @Test
  void theTableIsTheSameInEveryVersion() {
    byte[] start = new byte[8];

    BodyPattern.fill(0, start, 0, start.length);

    assertThat(start).asHexString().isEqualTo("0D54A87D909DD567");
  }
}
