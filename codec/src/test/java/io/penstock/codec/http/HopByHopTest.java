package io.penstock.codec.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class HopByHopTest {

  @Test
  void endsTheFixedFieldsInAnyCase() {
    HopByHop hop = HopByHop.namedBy(List.of());

    for (String name :
        List.of(
            "Connection",
            "KEEP-ALIVE",
            "TE",
            "transfer-encoding",
            "Upgrade",
            "Proxy-Authorization",
            "HTTP2-Settings")) {
      assertThat(hop.ends(name)).as(name).isTrue();
    }
    assertThat(hop.ends("Content-Type")).isFalse();
    assertThat(hop.ends("Trailer")).isFalse();
  }

  @Test
  void endsWhatConnectionNames() {
    HopByHop hop = HopByHop.namedBy(List.of("close, X-One ,,", "\tx-Two"));

    assertThat(hop.ends("x-one")).isTrue();
    assertThat(hop.ends("X-TWO")).isTrue();
    assertThat(hop.ends("close")).isFalse();
    assertThat(hop.ends("")).isFalse();
  }
}
