package io.penstock.codec.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.Fields;
import java.util.List;
import org.junit.jupiter.api.Test;

class HopByHopTest {

  @Test
  void endsWhatConnectionNames() {
    HopByHop hop = HopByHop.namedBy(List.of("close, X-One ,,", "\tx-Two").iterator());

    assertThat(hop.ends("x-one")).isTrue();
    assertThat(hop.ends("X-TWO")).isTrue();
    assertThat(hop.ends("close")).isFalse();
    assertThat(hop.ends("")).isFalse();
  }

  @Test
  void endsNothingWhenConnectionSaysTheUsual() {
    HopByHop hop = HopByHop.namedBy(List.of("Close", "keep-alive").iterator());

    assertThat(hop.ends("close")).isFalse();
    assertThat(hop.ends("X-One")).isFalse();
  }

  @Test
  void findsEveryConnectionOfAMessage() {
    var fields =
        new Fields().add("CONNECTION", "x-one").add("X-Other", "x-no").add("connection", "x-two");

    HopByHop hop = HopByHop.of(fields);

    assertThat(hop.ends("X-One")).isTrue();
    assertThat(hop.ends("X-Two")).isTrue();
    assertThat(hop.ends("X-No")).isFalse();
    assertThat(HopByHop.of(new Fields()).ends("X-One")).isFalse();
  }
}
