package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScopeTest {
  @ParameterizedTest
  @CsvSource({
    "press-7, true",
    "berlin, true",
    "agent:press-7, true",
    "site:berlin, true",
    "label:hall=8, true",
    "label:line=, true",
    "agent:berlin, false",
    "site:press-7, false",
    "label:hall=9, false",
    "label:floor=8, false",
    "label:hall=, false",
    "press, false",
    "press-77, false",
    "Press-7, false",
    // What is no entry grants nothing.
    "*, false",
    "site:*, false",
    "berlin/erp, false",
    "label:hall, false",
    "user:press-7, false",
  })
  void anEntryHoldsTheAgentsThatItNames(String entry, boolean holds) {
    var scope = new Scope(List.of("agent:nobody", entry));

    assertThat(scope.holds("press-7", "berlin", Map.of("hall", "8", "line", ""))).isEqualTo(holds);
  }

  @Test
  void noEntryIsEverything() {
    assertThat(Scope.EVERYTHING.holds("press-7", "berlin", Map.of())).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "a b", "site:", "agent:-x", "label:=x", "label:a=b c", "site:a/b"})
  void whatIsNoEntryIsNotTaken(String text) {
    assertThat(Scope.isEntry(text)).isFalse();
  }
}
