package io.penstock.broker.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworksTest {

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.255.255.255, true",
    "10.0.0.0/8, 11.0.0.0, false",
    "192.0.2.128/25, 192.0.2.128, true",
    "192.0.2.128/25, 192.0.2.127, false",
    "192.0.2.0/23, 192.0.3.255, true",
    "192.0.2.0/23, 192.0.4.0, false",
    "192.0.2.7, 192.0.2.7, true",
    "192.0.2.7, 192.0.2.6, false",
    "0.0.0.0/0, 203.0.113.1, true",
    "2001:db8::/32, 2001:db8:ffff::1, true",
    "2001:db8::/33, 2001:db8:8000::1, false",
    "::1, ::1, true",
    "0.0.0.0/0, ::1, false",
    "::/0, 127.0.0.1, false"
  })
  void allowsWhatTheRangeHolds(String range, String address, boolean allowed) {
    assertThat(Networks.of(List.of(range)).allow(InetAddress.ofLiteral(address)))
        .isEqualTo(allowed);
  }

  @Test
  void noRangeAtAllMeansEverywhere() {
    assertThat(Networks.of(List.of()).allow(InetAddress.ofLiteral("203.0.113.1"))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "10",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0/8",
        "example.org",
        "256.0.0.1",
        "::1/129",
        "fe80::1%eth0",
        "10.0.0.0/ 8"
      })
  void refusesWhatIsNoRange(String range) {
    assertThatIllegalArgumentException().isThrownBy(() -> Networks.of(List.of(range)));
  }
}
