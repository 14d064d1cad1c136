package io.penstock.codec.exposure;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.AsciiString;
import io.penstock.codec.message.ControlMessage.Allow;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExposureRulesTest {

  @ParameterizedTest
  @CsvSource({
    "/api/**,      /api,            true",
    "/api/**,      /api/,           true",
    "/api/**,      /api/a/b/c,      true",
    "/api/**,      /apis,           false",
    "/api/**,      /API/a,          false",
    "/**,          /,               true",
    "/**,          /a/b,            true",
    "/a,           /a,              true",
    "/a,           /a/,             false",
    "/a/,          /a/,             true",
    "/a/,          /a,              false",
    "/,            /,               true",
    "/,            /a,              false",
    "/o/*/lines,   /o/17/lines,     true",
    "/o/*/lines,   /o/17/x/lines,   false",
    "/o/*/lines,   /o//lines,       false",
    "/o/*,         /o/,             false",
    "/o/*,         /o/17,           true",
    "/o/*,         /o/17/x,         false",
    "/o/a*b*c,     /o/abc,          true",
    "/o/a*b*c,     /o/axbxbxc,      true",
    "/o/a*b*c,     /o/axbxbx,       false",
    "/o/*.json,    /o/.json,        true",
    "/o/*.json,    /o/x.jso,        false",
    "/o/*/**,      /o/1,            true",
    "/o/*/**,      /o/1/2,          true",
    "/o/*/**,      /o/,             false",
    "/a%20b,       /a%20b,          true",
    "/a b,         /a%20b,          false",
  })
  void matchesPatternsBySegment(String pattern, String path, boolean allowed) {
    assertThat(rules("GET", pattern).allows("GET", path)).isEqualTo(allowed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "api",
        "*",
        "/..",
        "/.",
        "/api/../x",
        "/api/..",
        "/api/./x",
        "/api/.%2e/x",
        "/api/%2E%2e/x",
        "/api/%2e",
        "/api/..;v=1/x",
        "/api/%2f",
        "/api/a%2Fb",
        "/api/a%5cb",
        "/api/a%5Cb",
        "/api/%00",
        "/api/%0",
        "/api/%",
        "/api/%zz",
        "/api//x",
        "//api",
        "/api/a\\b",
        "/api/a b",
        "/api/a\tb",
        "/api/a\u0000b",
        "/api/ä",
        "/api/a#b",
        "?/api"
      })
  void neverAllowsPathsThatSystemsReadInSeveralWays(String path) {
    assertThat(rules("*", "/**").allows("GET", path)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/...", "/a..b", "/.a", "/a;x=..", "/%2e%2e%2e", "/a%2eb", "/a%252fb"})
  void allowsDotsThatAreNoDotSegment(String path) {
    assertThat(rules("*", "/**").allows("GET", path)).isTrue();
  }

  @Test
  void queryDoesNotCount() {
    assertThat(rules("GET", "/a").allows("GET", "/a?b=/../%2f#")).isTrue();
    assertThat(rules("GET", "/a").allows("GET", "/b?/a")).isFalse();
  }

  @Test
  void methodsAreComparedExactly() {
    ExposureRules rules = rules("GET", "/a");

    assertThat(rules.allows("GET", "/a")).isTrue();
    assertThat(rules.allows("get", "/a")).isFalse();
    assertThat(rules.allows("GETS", "/a")).isFalse();
    assertThat(rules.allows("HEAD", "/a")).isFalse();
    assertThat(rules("*", "/a").allows("PROPFIND", "/a")).isTrue();
  }

  @Test
  void takesAnyCharSequence() {
    assertThat(rules("GET", "/a/*").allows(AsciiString.of("GET"), AsciiString.of("/a/b"))).isTrue();
  }

  @Test
  void deniesByDefault() {
    assertThat(ExposureRules.nothing().allows("GET", "/")).isFalse();
    assertThat(ExposureRules.of(List.of()).allows("GET", "/")).isFalse();
    assertThat(ExposureRules.of(List.of(new Allow(List.of(), List.of("/**")))).allows("GET", "/"))
        .isFalse();
    assertThat(ExposureRules.of(List.of(new Allow(List.of("*"), List.of()))).allows("GET", "/"))
        .isFalse();
  }

  @Test
  void methodsAndPathsOfDifferentEntriesDoNotMix() {
    ExposureRules rules =
        ExposureRules.of(
            List.of(
                new Allow(List.of("GET"), List.of("/read")),
                new Allow(List.of("POST"), List.of("/write"))));

    assertThat(rules.allows("POST", "/read")).isFalse();
    assertThat(rules.allows("POST", "/write")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"api/**", "/a/**/b", "/a**", "/a/***", "/a/../b", "/a//b", "/a?b", ""})
  void malformedPatternExposesNothingAndIsNamed(String pattern) {
    assertThat(rules("GET", pattern).allows("GET", "/a/b")).isFalse();
    assertThat(ExposureRules.problems(List.of(new Allow(List.of("GET"), List.of(pattern)))))
        .singleElement()
        .asString()
        .startsWith("path '" + pattern + "'");
  }

  @Test
  void namesEveryProblemAtOnce() {
    List<Allow> allow =
        List.of(
            new Allow(List.of("get", "GET"), List.of("/ok", "bad")),
            new Allow(List.of(), List.of("/x")));

    assertThat(ExposureRules.problems(allow)).hasSize(3);
    assertThat(ExposureRules.problems(List.of(new Allow(List.of("M-SEARCH"), List.of("/")))))
        .isEmpty();
  }

  @Test
  void ceilingCannotBeExceeded() {
    ExposureRules deployed = rules("*", "/**");
    ExposureRules ceiling = rules("GET", "/api/**");

    ExposureRules effective = deployed.and(ceiling);

    assertThat(effective.allows("GET", "/api/a")).isTrue();
    assertThat(effective.allows("POST", "/api/a")).isFalse();
    assertThat(effective.allows("GET", "/admin")).isFalse();
    assertThat(ceiling.and(ExposureRules.nothing()).allows("GET", "/api/a")).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "/**,        /api/**,   /api/**",
    "/api/**,    /**,       /api/**",
    "/api/x,     /api/*,    /api/x",
    "/api/*,     /api/x*,   /api/x*",
    "/api/a*,    /api/*b,   /api/a*",
    "/api/*,     /api/**,   /api/*",
  })
  void reportsTheNarrowerPattern(String ours, String ceiling, String reported) {
    List<Allow> allow = rules("*", ours).and(rules("GET", ceiling)).toAllow();

    assertThat(allow).containsExactly(new Allow(List.of("GET"), List.of(reported)));
  }

  @Test
  void reportsNothingWhereNothingIsLeft() {
    assertThat(rules("GET", "/a/**").and(rules("GET", "/b/**")).toAllow()).isEmpty();
    assertThat(rules("GET", "/**").and(rules("POST", "/**")).toAllow()).isEmpty();
    assertThat(ExposureRules.nothing().toAllow()).isEmpty();
  }

  @Test
  void longSegmentsOfStarsStayFast() {
    ExposureRules rules = rules("GET", "/" + "*a".repeat(50) + "*b");

    assertThat(rules.allows("GET", "/" + "a".repeat(8_000))).isFalse();
  }

  private static ExposureRules rules(String method, String path) {
    return ExposureRules.of(List.of(new Allow(List.of(method), List.of(path))));
  }
}
