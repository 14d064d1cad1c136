package io.penstock.agent.plugin.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.penstock.agent.plugin.SettingsException;
import io.penstock.codec.Deadlines;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpSettingsTest {
  private static HttpSettings read(String json) {
    try {
      return HttpSettings.read(new ObjectMapper().readTree(json), MissingNode.getInstance());
    } catch (JsonProcessingException typo) {
      throw new IllegalArgumentException(typo);
    }
  }

  @Test
  void needsNoMoreThanABaseUrl() {
    HttpSettings settings = read("{\"base_url\": \"http://erp.local\"}");

    assertThat(settings.origin().port()).isEqualTo(80);
    assertThat(settings.origin().authority().toString()).isEqualTo("erp.local");
    assertThat(settings.deadlines()).isEqualTo(new Deadlines(0, 0, 0, 0));
    assertThat(settings.maxConnections()).isEqualTo(256);
  }

  @Test
  void knowsHttpsAndPathsAndAddresses() {
    Origin origin = read("{\"base_url\": \"HTTPS://[::1]:8443/sap/\"}").origin();

    assertThat(origin.tls()).isTrue();
    assertThat(origin.host()).isEqualTo("::1");
    assertThat(origin.authority().toString()).isEqualTo("[::1]:8443");
    assertThat(origin.basePath().toString()).isEqualTo("/sap");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "erp.local",
        "ftp://erp.local",
        "http://",
        "http://user:secret@erp.local",
        "http://erp.local/?a=b",
        "http://erp.local/#x",
        "http://erp.local/../x",
        "http://erp.local:0",
        "http://erp.local:99999",
        "http://erp .local"
      })
  void refusesAnotherBaseUrlAndDoesNotEchoIt(String url) {
    assertThatThrownBy(() -> read("{\"base_url\": \"" + url + "\"}"))
        .isInstanceOfSatisfying(
            SettingsException.class,
            refused ->
                assertThat(refused.problems())
                    .singleElement()
                    .asString()
                    .startsWith("base_url: ")
                    .doesNotContain("secret"));
  }

  @Test
  void namesEveryProblemAtOnce() {
    assertThatThrownBy(
            () ->
                read(
                    """
                    {"base_url": 5, "idle_ms": -1, "max_connections": "many", "colour": "red",
                     "ca_file": "/does/not/exist"}
                    """))
        .isInstanceOfSatisfying(
            SettingsException.class,
            refused ->
                assertThat(refused.problems())
                    .extracting(problem -> problem.substring(0, problem.indexOf(':')))
                    .containsExactlyInAnyOrder(
                        "base_url", "idle_ms", "max_connections", "colour", "ca_file"));
  }
}
