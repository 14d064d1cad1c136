package io.penstock.codec.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PluginSchemaTest {
  private static final String SECRET = "hunter2-hunter2";
  private static final String SETTINGS =
      """
      {"base_url": "https://erp.plant:8443/api", "ca_file": "/etc/ca.pem", "connect_ms": 2000,
       "max_connections": 64, "allow": [{"methods": ["GET", "POST"], "paths": ["/api/**"]}]}\
      """;
  private static final String WITH_USER =
      "{\"base_url\":\"https://erp.plant\",\"allow\":[],\"user\":\"penstock\"}";

  private final PluginSchema http = PluginSchema.of("http").orElseThrow();

  @Test
  void knowsItsPluginsAndNoOthers() {
    assertThat(PluginSchema.plugins()).containsExactly("http");
    assertThat(PluginSchema.of("../http")).isEmpty();
    assertThat(http.plugin()).isEqualTo("http");
  }

  @Test
  void theIdIsTheHashOfTheText() {
    assertThat(http.id()).isEqualTo(Octets.sha256(utf8(http.text())));
  }

  @Test
  void namesSecretsAndDestinations() {
    assertThat(http.secretFields()).containsExactly("bearer_token", "header_value", "password");
    assertThat(http.destinationFields()).containsExactly("base_url", "ca_file");
  }

  @Test
  void acceptsSettingsAndEachKindOfCredentials() {
    assertThat(http.validate(utf8(SETTINGS), Optional.empty())).isEmpty();
    assertThat(http.validate(utf8(SETTINGS), Set.of())).isEmpty();
    assertThat(http.validate(utf8(WITH_USER), secrets("password"))).isEmpty();
    assertThat(http.validate(utf8(WITH_USER), Set.of("password"))).isEmpty();
    assertThat(http.validate(utf8(SETTINGS), secrets("bearer_token"))).isEmpty();
    assertThat(
            http.validate(
                utf8("{\"base_url\":\"http://a\",\"allow\":[],\"header_name\":\"X-API-Key\"}"),
                secrets("header_value")))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"base_url\":\"ftp://erp\"            | /base_url | text like | ftp://erp",
        "\"base_url\":\"https://u:p@erp\"      | /base_url | text like | https://u:p@erp",
        "\"base_url\":\"https://erp/?q\"       | /base_url | text like | https://erp/?q",
        "\"base_url\":7                        | /base_url | type string | number",
        "\"max_connections\":0                 | /max_connections | 1 or more | 0",
        "\"max_connections\":4097              | /max_connections | 4096 or less | 4097",
        "\"connect_ms\":1.5                    | /connect_ms | type integer | number",
        "\"connect_ms\":86400001               | /connect_ms | 86400000 or less | 86400001",
        "\"allow\":{}                          | /allow | type array | object",
        "\"allow\":[{\"methods\":[\"GET\"]}]   | /allow/0/paths | a value | none",
        "\"allow\":[{\"methods\":[],\"paths\":[\"/\"]}] | /allow/0/methods | at least 1 entries | 0"
            + " entries",
        "\"allow\":[{\"methods\":[\"get\"],\"paths\":[\"/\"]}] | /allow/0/methods/0 | text like |"
            + " get",
        "\"allow\":[{\"methods\":[\"GET\"],\"paths\":[\"api\"]}] | /allow/0/paths/0 | text like |"
            + " api",
        "\"allow\":[{\"methods\":[\"GET\"],\"paths\":[\"/a/../b\"]}] | /allow/0 | methods and paths"
            + " | path",
        "\"header_name\":\"Host\"              | /header_name | a name that HTTP | Host",
        "\"header_name\":\"PENSTOCK-caller\"   | /header_name | a name that HTTP | PENSTOCK",
        "\"header_name\":\"X A\"               | /header_name | text like | X A",
        "\"colour\":\"red\"                    | /colour | no such key | one",
      })
  void namesPathExpectedAndFound(String member, String path, String expected, String found) {
    String json = "{\"base_url\":\"http://a\",\"allow\":[],\"header_name\":\"X-A\"}";
    String name = member.substring(1, member.indexOf('"', 1));
    String changed =
        json.replaceAll("\"" + name + "\":(\"[^\"]*\"|\\[\\]),?", "")
            .replaceFirst("\\{", java.util.regex.Matcher.quoteReplacement("{" + member + ","))
            .replace(",}", "}");

    List<Problem> problems = http.validate(utf8(changed), secrets("header_value"));

    assertThat(problems)
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.path()).isEqualTo(path);
              assertThat(problem.expected()).startsWith(expected);
              assertThat(problem.found()).startsWith(found);
            });
  }

  @Test
  void tellsEveryProblemAtOnce() {
    List<Problem> problems = http.validate(utf8("{\"max_waiting\":-1,\"x\":1}"), Optional.empty());

    assertThat(problems)
        .extracting(Problem::path)
        .containsExactlyInAnyOrder("/base_url", "/allow", "/max_waiting", "/x");
  }

  @Test
  void credentialsNeedEachOther() {
    assertThat(http.validate(utf8(WITH_USER), Optional.empty())).isNotEmpty();
    assertThat(http.validate(utf8(WITH_USER), Set.of())).isNotEmpty();
    assertThat(http.validate(utf8(SETTINGS), secrets("password"))).isNotEmpty();
    assertThat(http.validate(utf8(SETTINGS), Set.of("header_value"))).isNotEmpty();
    assertThat(http.validate(utf8(WITH_USER), Set.of("password", "bearer_token"))).isNotEmpty();
  }

  @Test
  void aSecretAmongTheSettingsIsRefusedAndNotShown() {
    String misplaced =
        "{\"base_url\":\"http://a\",\"allow\":[],\"user\":\"u\",\"password\":\"" + SECRET + "\"}";

    List<Problem> problems = http.validate(utf8(misplaced), Set.of());

    assertThat(problems).extracting(Problem::path).contains("/password");
    assertThat(problems.toString()).doesNotContain(SECRET);
  }

  @Test
  void aSettingAmongTheSecretsIsRefused() {
    assertThat(http.validate(utf8(SETTINGS), json("{\"base_url\":\"http://elsewhere\"}")))
        .extracting(Problem::path)
        .contains("/secrets");
    assertThat(http.validate(utf8(SETTINGS), Set.of("base_url")))
        .extracting(Problem::path)
        .contains("/secrets");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"password\":\"hunter2-hunter2\\n\"}",
        "{\"password\":[\"hunter2-hunter2\"]}",
        "{\"password\":{\"hunter2-hunter2\":1}}",
        "{\"bearer_token\":\"hunter2-hunter2 \"}",
        "{\"hunter2-hunter2\":\"x\"}",
        "{\"password\":\"hunter2-hunter2\"",
        "\"hunter2-hunter2\"",
        "{\"password\":\"hunter2-hunter2\",\"password\":\"x\"}",
        "hunter2-hunter2"
      })
  void noProblemShowsASecret(String secrets) {
    List<Problem> problems = http.validate(utf8(WITH_USER), json(secrets));

    assertThat(problems).isNotEmpty();
    assertThat(problems.toString()).doesNotContain("hunter2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[]", "null", "{", "{} {}", "{\"base_url\":\"a\",\"base_url\":\"b\"}"})
  void refusesSettingsThatAreNoJsonObject(String settings) {
    assertThat(http.validate(utf8(settings), Optional.empty()))
        .singleElement()
        .hasToString(
            "settings: expected a JSON object without a name twice, found "
                + settings.length()
                + " bytes that are none");
  }

  /// Java's `$` stands before a last line break too.
  @Test
  void noFieldEndsInALineBreak() {
    String settings = "{\"base_url\":\"http://a\\n\",\"allow\":[],\"header_name\":\"X-A\\n\"}";

    assertThat(http.validate(utf8(settings), json("{\"header_value\":\"x\\n\"}")))
        .extracting(Problem::path)
        .containsExactlyInAnyOrder("/base_url", "/header_name", "/header_value");
    assertThat(http.validate(utf8(SETTINGS), json("{\"bearer_token\":\"x\\n\"}")))
        .extracting(Problem::path)
        .containsExactly("/bearer_token");
  }

  @Test
  void refusesMoreThanOneMebibyteOfBoth() {
    String secrets = "{\"password\":\"" + "x".repeat(1024 * 1024 - WITH_USER.length()) + "\"}";

    assertThat(http.validate(utf8(WITH_USER), json(secrets)))
        .extracting(Problem::expected)
        .contains("at most 1048576 bytes with the secrets");
  }

  @Test
  void tellsWhichDestinationChanged() {
    String moved = SETTINGS.replace("erp.plant", "elsewhere");
    String trusting = SETTINGS.replace("/etc/ca.pem", "/tmp/ca.pem");
    String tuned = SETTINGS.replace("64", "65");

    assertThat(changed(SETTINGS, moved)).containsExactly("base_url");
    assertThat(changed(SETTINGS, trusting)).containsExactly("ca_file");
    assertThat(changed(SETTINGS, tuned)).isEmpty();
    assertThat(changed(SETTINGS, "{}")).containsExactly("base_url", "ca_file");
    assertThat(changed("{", SETTINGS)).containsExactly("base_url", "ca_file");
  }

  @Test
  void secretsAreForOneDestination() {
    byte[] moved = utf8(SETTINGS.replace("erp.plant", "elsewhere"));
    byte[] tuned = utf8(SETTINGS.replace("64", "65"));

    assertThat(http.destinationOf(tuned)).isEqualTo(http.destinationOf(utf8(SETTINGS)));
    assertThat(http.destinationOf(moved)).isNotEqualTo(http.destinationOf(utf8(SETTINGS)));
    assertThatThrownBy(() -> http.destinationOf(utf8("{\"base_url\":7}")))
        .isInstanceOf(SealException.class)
        .hasMessageContaining("base_url");
  }

  private Set<String> changed(String before, String after) {
    return http.destinationsChanged(utf8(before), utf8(after));
  }

  private static Optional<byte[]> secrets(String field) {
    return json("{\"" + field + "\":\"" + SECRET + "\"}");
  }

  private static Optional<byte[]> json(String text) {
    return Optional.of(utf8(text));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
