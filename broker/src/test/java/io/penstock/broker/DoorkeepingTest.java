package io.penstock.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.penstock.broker.access.AccessRig;
import io.penstock.broker.access.Blocks;
import io.penstock.broker.access.Blocks.Outcome;
import io.penstock.broker.config.Networks;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DoorkeepingTest {
  @TempDir Path directory;
  private AccessRig rig;

  @BeforeEach
  void start() {
    rig = new AccessRig(directory.resolve("data"));
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private Doorkeeping doorkeeping(Blocks blocks, String... proxies) {
    return new Doorkeeping(blocks, Networks.of(List.of(proxies)));
  }

  private static InetAddress address(String literal) {
    return InetAddress.ofLiteral(literal);
  }

  @ParameterizedTest(name = "{0} says {1}: {2}")
  @CsvSource({
    // A stranger's word counts for nothing.
    "203.0.113.9, 10.0.0.1, 203.0.113.9",
    "203.0.113.9, 127.0.0.1, 203.0.113.9",
    "10.9.0.9, 192.0.2.1, 10.9.0.9",
    // A trusted proxy's does: whom it saw itself stands last.
    "10.0.0.1, 192.0.2.1, 192.0.2.1",
    "10.0.0.1, '8.8.8.8, 192.0.2.1', 192.0.2.1",
    "10.0.0.1, '8.8.8.8,10.0.0.2', 8.8.8.8",
    "10.0.0.1, '6.6.6.6, 8.8.8.8 ,10.0.0.2', 8.8.8.8",
    "10.0.0.1, 2001:db8::1, 2001:db8::1",
    // What it cannot have written ends the search.
    "10.0.0.1, '', 10.0.0.1",
    "10.0.0.1, 'evil.example, 192.0.2.1', 192.0.2.1",
    "10.0.0.1, '192.0.2.1, evil.example', 10.0.0.1",
    "10.0.0.1, '192.0.2.1, 10.0.0.2, unknown', 10.0.0.1",
    // Some proxies write ports.
    "10.0.0.1, '192.0.2.1:4711', 192.0.2.1",
    "10.0.0.1, '192.0.2.1, 10.0.0.2:80', 192.0.2.1",
    "10.0.0.1, '[2001:db8::1]:4711', 2001:db8::1",
    "10.0.0.1, '[2001:db8::1]', 2001:db8::1",
    "10.0.0.1, '::ffff:192.0.2.1', 192.0.2.1",
    // Spellings that no proxy writes and some readers take for an address.
    "10.0.0.1, 'fe80::1%eth0', 10.0.0.1",
    "10.0.0.1, '[fe80::1%1]:80', 10.0.0.1",
    "10.0.0.1, '1', 10.0.0.1",
    "10.0.0.1, '192.0.513', 10.0.0.1",
    "10.0.0.1, '999.0.2.1', 10.0.0.1",
    "10.0.0.1, '[192.0.2.1]', 10.0.0.1",
    "10.0.0.1, '2001:db8::1]:80', 10.0.0.1",
    "10.0.0.1, '192.0.2.1:', 10.0.0.1",
    "10.0.0.1, ':', 10.0.0.1",
    "10.0.0.1, '10.0.0.3, 10.0.0.2', 10.0.0.3",
  })
  void onlyATrustedProxyIsBelieved(String peer, String forwarded, String client) {
    Doorkeeping doorkeeping = doorkeeping(rig.blocks(), "10.0.0.0/16");
    var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/");
    request.headers().add("X-Forwarded-For", forwarded);

    assertThat(doorkeeping.client(request, address(peer))).isEqualTo(address(client));
  }

  @Test
  void severalFieldsAreOneList() {
    var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/");
    request.headers().add("X-Forwarded-For", "192.0.2.1").add("x-forwarded-for", "192.0.2.2");

    assertThat(doorkeeping(rig.blocks(), "10.0.0.1").client(request, address("10.0.0.1")))
        .isEqualTo(address("192.0.2.2"));
    assertThat(doorkeeping(rig.blocks()).client(request, address("10.0.0.1")))
        .as("no proxy is trusted unless it is named")
        .isEqualTo(address("10.0.0.1"));
  }

  @Test
  void aBlockedRangeIsOutUntilTheBlockIsLifted() {
    Blocks blocks = rig.blocks();
    Doorkeeping doorkeeping = doorkeeping(blocks);
    rig.block(blocks, "203.0.113.0/24", Optional.empty());
    rig.block(blocks, "2001:db8:0:1::/64", Optional.empty());
    rig.block(blocks, "198.51.100.7", Optional.empty());
    blocks.load();

    for (String out : List.of("203.0.113.1", "203.0.113.255", "2001:db8:0:1::9", "198.51.100.7")) {
      assertThat(doorkeeping.admitsConnection(address(out))).as(out).isFalse();
      assertThat(doorkeeping.admits(address(out), false)).as(out).isFalse();
      assertThat(doorkeeping.admits(address(out), true)).as(out).isFalse();
    }
    for (String in : List.of("203.0.114.1", "2001:db8:0:2::9", "198.51.100.8", "::1")) {
      assertThat(doorkeeping.admits(address(in), false)).as(in).isTrue();
    }

    assertThat(rig.unblock(blocks, "203.0.113.77/24")).isTrue();
    blocks.load();
    assertThat(doorkeeping.admits(address("203.0.113.1"), false)).isTrue();
    assertThat(rig.unblock(blocks, "203.0.113.0/24")).isFalse();
  }

  @Test
  void aBlockForAnHourEndsAfterAnHour() {
    Blocks blocks = rig.blocks();
    rig.block(blocks, "203.0.113.0/24", Optional.of(Duration.ofHours(1)));
    rig.block(blocks, "198.51.100.7", Optional.of(Duration.ofHours(1)));
    blocks.load();
    rig.pass(Duration.ofMinutes(59));
    assertThat(blocks.isBlocked(address("203.0.113.1"))).isTrue();
    assertThat(blocks.isBlocked(address("198.51.100.7"))).isTrue();

    rig.pass(Duration.ofMinutes(1));

    assertThat(blocks.isBlocked(address("203.0.113.1"))).isFalse();
    assertThat(blocks.isBlocked(address("198.51.100.7"))).isFalse();
    assertThat(blocks.list()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"192.0.2.7", "192.0.2.0/24", "0.0.0.0/0"})
  void nobodyLocksThemselvesOut(String cidr) {
    assertThat(rig.block(rig.blocks(), cidr, Optional.empty()))
        .isInstanceOf(Outcome.OwnAddress.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.1.2.3",
        "10.1.0.0/16",
        "10.0.0.0/8",
        "8.0.0.0/5",
        "2001:db8::/31",
        "2001:db8:0:1::5"
      })
  void aTrustedProxyIsNotBlocked(String cidr) {
    Blocks blocks = rig.blocks(List.of(), List.of("10.1.0.0/16", "2001:db8:0:1::5"));

    assertThat(rig.block(blocks, cidr, Optional.empty())).isInstanceOf(Outcome.TrustedProxy.class);
    assertThat(rig.block(blocks, "10.2.0.0/16", Optional.empty())).isInstanceOf(Outcome.Done.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "evil.example", "203.0.113.0/33", "203.0.113", "1.2.3.4/", "::/129"})
  void whatIsNoRangeIsNotTaken(String cidr) {
    assertThat(rig.block(rig.blocks(), cidr, Optional.empty()))
        .isInstanceOf(Outcome.Malformed.class);
  }

  @Test
  void whereOnlySomeAddressesAreAllowedAgentsStillDialFromAnywhere() {
    Doorkeeping doorkeeping = doorkeeping(rig.blocks("192.0.2.0/24"));

    assertThat(doorkeeping.admits(address("192.0.2.1"), false)).isTrue();
    assertThat(doorkeeping.admits(address("203.0.113.1"), false)).isFalse();
    assertThat(doorkeeping.admits(address("203.0.113.1"), true)).isTrue();
    assertThat(doorkeeping.admitsConnection(address("203.0.113.1"))).isTrue();
  }
}
