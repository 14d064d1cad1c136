package io.penstock.loadtest.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class JvmMemoryTest {
  private static final String SMAPS =
      """
      700000000-701000000 rw-p 00000000 00:00 0
      Size:              16384 kB
      Rss:                8000 kB
      Pss:                8000 kB
      Pss_Dirty:          8000 kB
      7f0000000000-7f0000100000 r-xp 00000000 08:01 5 /lib/x.so
      Rss:                 100 kB
      Pss:                  50 kB
      7ff000000000-7ff000100000 rw-p 00000000 00:00 0
      Rss:                 900 kB
      Pss:                 900 kB
      """;

  @Test
  void tellsTheHeapFromTheRest() throws Exception {
    JvmMemory memory =
        JvmMemory.of(
            """
            1663:
             garbage-first heap   total 110592K, used 3000K [0x0000000700000000, 0x0000000800000000)
              region size 4096K, 6 young (24576K), 2 survivors (8192K)
             Metaspace       used 25205K, committed 25472K, reserved 1114112K
            """,
            SMAPS);

    assertThat(memory).isEqualTo(new JvmMemory(9_000 << 10, 8_950 << 10, 8_000 << 10, 3_000 << 10));
    assertThat(memory.outsideBytes()).isEqualTo(1_000 << 10);
    assertThat(memory.heldBytes()).isEqualTo(4_000 << 10);
  }

  @Test
  void addsUpTheGenerationsOfASerialHeap() throws Exception {
    JvmMemory memory =
        JvmMemory.of(
            """
             DefNew     total 9216K, used 200K [0x0000000700000000, 0x0000000700500000, 0x0000000700a00000)
              eden space 8192K,   2% used [0x0000000700000000, 0x0000000700032000, 0x0000000700800000)
             Tenured    total 10240K, used 3000K [0x0000000700a00000, 0x0000000701400000, 0x0000000701400000)
            """,
            SMAPS);

    assertThat(memory.heapUsedBytes()).isEqualTo(3_200 << 10);
    assertThat(memory.heapResidentBytes()).isEqualTo(8_000 << 10);
  }

  @Test
  void aHeapThatIsNotThereIsAnError() {
    assertThatThrownBy(() -> JvmMemory.of("no heap", SMAPS))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("expected where the heap is, found: no heap");
  }

  @Test
  void seesItsOwnObjectsAndNotItsGarbage() throws Exception {
    long me = ProcessHandle.current().pid();
    JvmMemory before = JvmMemory.look(me);
    byte[] kept = new byte[64 << 20];
    byte[][] garbage = new byte[64][];
    for (int i = 0; i < garbage.length; i++) {
      garbage[i] = new byte[1 << 20];
    }
    assertThat(garbage[63]).hasSize(1 << 20);
    garbage = new byte[0][];

    JvmMemory after = JvmMemory.least(me, 2, java.time.Duration.ZERO);

    assertThat(garbage).isEmpty();
    assertThat(after.heapUsedBytes() - before.heapUsedBytes())
        .isBetween(kept.length - (8L << 20), kept.length + (32L << 20));
    assertThat(after.residentBytes()).isGreaterThan(after.heapResidentBytes());
    assertThat(after.proportionalBytes()).isBetween(1L << 20, after.residentBytes());
  }

  @Test
  void whatIsNoJvmIsSaidToBeNone() throws Exception {
    Process other = new ProcessBuilder("cat").start();
    try {
      assertThatThrownBy(() -> JvmMemory.look(other.pid()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("expected a JVM at " + other.pid());
    } finally {
      other.destroy();
    }
  }
}
