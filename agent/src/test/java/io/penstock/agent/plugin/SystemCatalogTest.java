package io.penstock.agent.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.agent.plugin.http.Call;
import io.penstock.agent.plugin.http.Tunnel;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.SystemRules;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class SystemCatalogTest {
  private static final Allow READ_API = new Allow(List.of("GET"), List.of("/api/**"));
  private static final Allow EVERYTHING = new Allow(List.of("*"), List.of("/**"));

  private ServerSocket system;
  private String settings;

  @BeforeEach
  void start() throws IOException {
    system = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    settings = "{\"base_url\": \"http://127.0.0.1:" + system.getLocalPort() + "\"}";
  }

  @AfterEach
  void stop() throws IOException {
    system.close();
  }

  private Tunnel tunnel(Optional<List<Ceiling>> ceiling, Allow... allow) {
    return new Tunnel(List.of(Tunnel.definition("erp", settings, allow)), ceiling);
  }

  private static Tunnel empty() {
    return new Tunnel(List.of(), Optional.empty());
  }

  private void assertRefused(Call call, ErrorCode code) throws IOException {
    Call.Event.Reset reset = call.reset();
    assertThat(reset.code()).isEqualTo(code);
    assertThat(reset.untouched()).isTrue();
    system.setSoTimeout(50);
    assertThatThrownBy(system::accept).isInstanceOf(SocketTimeoutException.class);
  }

  private void assertServed(Tunnel tunnel, String method, String path) throws IOException {
    tunnel.call(method, path, true);
    system.setSoTimeout(10_000);
    system.accept().close();
  }

  @Test
  void servesWhatIsAllowedAndNothingElse() throws IOException {
    try (var tunnel = tunnel(Optional.empty(), READ_API)) {
      assertServed(tunnel, "GET", "/api/orders?x=/admin");
      assertRefused(tunnel.call("POST", "/api/orders", true), ErrorCode.NOT_EXPOSED);
      assertRefused(tunnel.call("GET", "/admin", true), ErrorCode.NOT_EXPOSED);
      assertRefused(tunnel.call("get", "/api/orders", true), ErrorCode.NOT_EXPOSED);
    }
  }

  @Test
  void exposesNothingByDefault() throws IOException {
    try (var tunnel = tunnel(Optional.empty())) {
      assertRefused(tunnel.call("GET", "/", true), ErrorCode.NOT_EXPOSED);
    }
  }

  @Test
  void aCeilingIsNeverExceeded() throws IOException {
    var ceiling = Optional.of(List.of(new Ceiling("erp", List.of(READ_API))));
    try (var tunnel = tunnel(ceiling, EVERYTHING)) {
      assertServed(tunnel, "GET", "/api/orders");
      assertRefused(tunnel.call("DELETE", "/api/orders", true), ErrorCode.NOT_EXPOSED);
      assertRefused(tunnel.call("GET", "/admin", true), ErrorCode.NOT_EXPOSED);
    }
  }

  @Test
  void aCeilingThatDoesNotNameASystemExposesNothingOfIt() throws IOException {
    try (var tunnel = tunnel(Optional.of(List.of()), EVERYTHING)) {
      assertRefused(tunnel.call("GET", "/", true), ErrorCode.NOT_EXPOSED);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/../admin",
        "/api/%2e%2e/admin",
        "/api/..;x/admin",
        "/api//admin",
        "/api/%2fadmin",
        "/api/%5cadmin",
        "/api/a%00",
        "/api/a b",
        "/api/a#b",
        "/api/a\\b",
        "/api/a?b c",
        "/api/a\r\nX: y",
        "api/a",
        "http://other/api/a",
        "*"
      })
  void refusesPathsThatCanBeReadInTwoWays(String path) throws IOException {
    try (var tunnel = tunnel(Optional.empty(), EVERYTHING)) {
      assertRefused(tunnel.call("GET", path, true), ErrorCode.BAD_REQUEST);
    }
  }

  @Test
  void knowsOnlyItsSystems() throws IOException {
    try (var tunnel = tunnel(Optional.empty(), EVERYTHING)) {
      assertRefused(
          tunnel.open(StreamKind.HTTP, "ERP", "alice", Deadlines.DEFAULT, "GET", "/", true),
          ErrorCode.UNKNOWN_TARGET);
    }
  }

  @Test
  void servesOnlyHttp() throws IOException {
    try (var tunnel = tunnel(Optional.empty(), EVERYTHING)) {
      assertRefused(
          tunnel.open(StreamKind.TCP, "erp", "alice", Deadlines.DEFAULT, "GET", "/", true),
          ErrorCode.BAD_REQUEST);
    }
  }

  @Test
  void reportsTheRulesWithinTheCeiling() {
    var ceiling = Optional.of(List.of(new Ceiling("erp", List.of(READ_API))));
    try (var tunnel = tunnel(ceiling, EVERYTHING)) {
      assertThat(tunnel.catalog().effectiveRules().systems())
          .containsExactly(new SystemRules("erp", "http", true, List.of(READ_API)));
    }
  }

  @Test
  void anAgentWithoutSystemsServesNone() throws IOException {
    try (var tunnel = empty()) {
      assertThat(tunnel.catalog().effectiveRules().systems()).isEmpty();
      assertRefused(tunnel.call("GET", "/", true), ErrorCode.UNKNOWN_TARGET);
    }
  }

  @Test
  void namesEveryProblemOfEverySystemAtOnce() {
    var definitions =
        List.of(
            Tunnel.definition("a", "{}", new Allow(List.of("GET"), List.of("no-slash"))),
            Tunnel.definition("b", "{\"base_url\": \"http://x\", \"idle_ms\": -1}"),
            new SystemDefinition("c", "teapot", Tunnel.definition("c", "{}").settings(), List.of()),
            Tunnel.definition("d", settings),
            Tunnel.definition("d", settings));

    assertThatThrownBy(() -> new Tunnel(definitions, Optional.empty()))
        .isInstanceOfSatisfying(
            SettingsException.class,
            refused ->
                assertThat(refused.problems())
                    .extracting(problem -> problem.substring(0, problem.indexOf(':')))
                    .containsExactly(
                        "a.allow", "a.settings.base_url", "b.settings.idle_ms", "c.plugin", "d"));
  }
}
