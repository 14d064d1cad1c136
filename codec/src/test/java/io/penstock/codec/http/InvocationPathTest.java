package io.penstock.codec.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.http.InvocationPath.Judgement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InvocationPathTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/invoke/site/erp",
        "/invoke/site/erp/",
        "/a/b.c/..d/d../...",
        "/.well-known/x",
        "/a;v=1/b;x=..",
        "/a%20b/%C3%A9/%E9%41",
        "/%252e%252e/a",
        "/%c0%20/%e0%a0%80/%f0%90%80%80",
        "/a?b=../..//%2f%00\\&c=%zz",
        "/a?",
      })
  void leavesOtherPathsAlone(String target) {
    assertThat(InvocationPath.judge(target)).isEqualTo(Judgement.CLEAN);
  }

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "NOT_ABSOLUTE,''",
        "NOT_ABSOLUTE,a/b",
        "NOT_ABSOLUTE,?a",
        "DOT_SEGMENT,/.",
        "DOT_SEGMENT,/..",
        "DOT_SEGMENT,/a/./b",
        "DOT_SEGMENT,/a/../b",
        "DOT_SEGMENT,/a/..?b",
        "DOT_SEGMENT,/a/%2e%2e/b",
        "DOT_SEGMENT,/a/.%2E/b",
        "DOT_SEGMENT,/a/%2e",
        "DOT_SEGMENT,/a/..;x=1/b",
        "DOT_SEGMENT,/a/..%3bx/b",
        "DOT_SEGMENT,/a/.;/b",
        "EMPTY_SEGMENT,//a",
        "EMPTY_SEGMENT,/a//b",
        "EMPTY_SEGMENT,/a//",
        "HIDDEN_DELIMITER,/a%2fb",
        "HIDDEN_DELIMITER,/a%2Fb",
        "HIDDEN_DELIMITER,/a%5cb",
        "HIDDEN_DELIMITER,/a%00",
        "HIDDEN_DELIMITER,/a%0d%0ab",
        "HIDDEN_DELIMITER,/a%7f",
        "BACKSLASH,/a\\b",
        "BACKSLASH,/..\\..\\b",
        "BAD_ESCAPE,/a%",
        "BAD_ESCAPE,/a%2",
        "BAD_ESCAPE,/a%2/f",
        "BAD_ESCAPE,/a%zz",
        "BAD_ESCAPE,/a%u002f",
        "BAD_ESCAPE,/a%2?f",
        "OVERLONG_ESCAPE,/%c0%ae%c0%ae/a",
        "OVERLONG_ESCAPE,/a%c0%afb",
        "OVERLONG_ESCAPE,/a%e0%80%afb",
        "OVERLONG_ESCAPE,/a%f0%80%80%afb",
        "BAD_CHARACTER,/a#b",
        "BAD_CHARACTER,/a?b#c",
        "BAD_CHARACTER,/a b",
        "BAD_CHARACTER,/a\u0001",
        "BAD_CHARACTER,/a\u00e9",
        "BAD_CHARACTER,/a?b\u2028",
      })
  void refusesPathsWithASecondReading(Judgement judgement, String target) {
    assertThat(InvocationPath.judge(target)).isEqualTo(judgement);
  }

  @Test
  void takesTheAuthorityOffAnAbsoluteTarget() {
    assertThat(InvocationPath.originForm("http://h:1/a?b=c://d")).isEqualTo("/a?b=c://d");
    assertThat(InvocationPath.originForm("https://h?x")).isEqualTo("/?x");
    assertThat(InvocationPath.originForm("http://h")).isEqualTo("/");
    assertThat(InvocationPath.originForm("/a?b=http://c/d")).isEqualTo("/a?b=http://c/d");
    assertThat(InvocationPath.originForm("*")).isEqualTo("*");
  }
}
