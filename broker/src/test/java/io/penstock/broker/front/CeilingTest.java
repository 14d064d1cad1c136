package io.penstock.broker.front;

import static io.penstock.broker.front.Ceiling.Verdict.FULL;
import static io.penstock.broker.front.Ceiling.Verdict.FULL_FOR_ADDRESS;
import static io.penstock.broker.front.Ceiling.Verdict.TAKEN;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

class CeilingTest {
  private final Ceiling ceiling = new Ceiling(3, 2);

  @Test
  void limitsOneAddress() throws Exception {
    assertThat(take("10.0.0.1")).isEqualTo(TAKEN);
    assertThat(take("10.0.0.1")).isEqualTo(TAKEN);
    assertThat(take("10.0.0.1")).isEqualTo(FULL_FOR_ADDRESS);
    assertThat(take("10.0.0.2")).isEqualTo(TAKEN);
  }

  @Test
  void limitsAll() throws Exception {
    take("10.0.0.1");
    take("10.0.0.2");
    take("10.0.0.3");

    assertThat(take("10.0.0.4")).isEqualTo(FULL);
    assertThat(ceiling.taken()).isEqualTo(3);
  }

  @Test
  void networkOfAnIpv6AddressCountsAsOne() throws Exception {
    assertThat(take("2001:db8:0:1::1")).isEqualTo(TAKEN);
    assertThat(take("2001:db8:0:1::2")).isEqualTo(TAKEN);
    assertThat(take("2001:db8:0:1:ffff::3")).isEqualTo(FULL_FOR_ADDRESS);
    assertThat(take("2001:db8:0:2::1")).isEqualTo(TAKEN);
  }

  @Test
  void refusedAndReleasedPlacesAreForgotten() throws Exception {
    take("10.0.0.1");
    take("10.0.0.1");
    take("10.0.0.1");
    ceiling.release(address("10.0.0.1"));
    ceiling.release(address("10.0.0.1"));

    assertThat(ceiling.taken()).isZero();
    assertThat(ceiling.addresses()).isZero();
  }

  private Ceiling.Verdict take(String address) throws UnknownHostException {
    return ceiling.take(address(address));
  }

  private static InetAddress address(String text) throws UnknownHostException {
    return InetAddress.getByName(text);
  }
}
