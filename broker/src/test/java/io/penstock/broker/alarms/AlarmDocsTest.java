package io.penstock.broker.alarms;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/// `docs/alarms.md` and the catalogue say the same.
class AlarmDocsTest {
  private static final Path PAGE = TestDatabase.repositoryRoot().resolve("docs/alarms.md");

  @Test
  void thePageHasOneRowForEveryKindAndNoOther() throws IOException {
    List<String> rows =
        Files.readAllLines(PAGE).stream().filter(line -> line.startsWith("| `")).toList();

    assertThat(rows)
        .containsExactlyElementsOf(
            Arrays.stream(AlarmKind.values()).map(AlarmDocsTest::row).toList());
  }

  private static String row(AlarmKind kind) {
    return "| `%s` | %s | %s | %s | %s | %s |"
        .formatted(
            kind.code(),
            kind.severity().name().toLowerCase(Locale.ROOT),
            kind.about().text(),
            kind.clearsItself() ? "itself" : "by acknowledgement",
            kind.title(),
            kind.next());
  }

  @Test
  void everyKindHasAWordOfItsOwnAndIsFoundByIt() {
    var codes = new HashSet<String>();
    for (AlarmKind kind : AlarmKind.values()) {
      assertThat(codes.add(kind.code())).isTrue();
      assertThat(AlarmKind.of(kind.code())).contains(kind);
    }
    assertThat(AlarmKind.of("no-such-kind")).isEmpty();
  }
}
