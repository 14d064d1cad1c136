package io.penstock.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OwnerSecretsTest {
  @TempDir private Path directory;

  @Test
  void looksIntoDirectoryCredentialsAndEnvironment() throws Exception {
    Path files = Files.createDirectory(directory.resolve("files"));
    Path credentials = Files.createDirectory(directory.resolve("credentials"));
    Files.writeString(files.resolve("a"), "file\r\n\n");
    Files.writeString(credentials.resolve("a"), "hidden");
    Files.writeString(credentials.resolve("b"), "credential");
    var secrets =
        new OwnerSecrets(
            Optional.of(files),
            Map.of("PENSTOCK_SECRET_B", "hidden", "PENSTOCK_SECRET_C_1_X", "environment"),
            Optional.of(credentials),
            Set.of());

    assertThat(secrets.find("a")).contains("file");
    assertThat(secrets.find("b")).contains("credential");
    assertThat(secrets.find("c.1-x")).contains("environment");
    assertThat(secrets.find("d")).isEmpty();
  }

  @Test
  void neverGivesAwayWhatTheAgentLivesBy() throws Exception {
    Path own = Files.writeString(directory.resolve("passphrase"), "canary");
    Files.createSymbolicLink(directory.resolve("alias"), own);
    var secrets = new OwnerSecrets(Optional.of(directory), Map.of(), Optional.empty(), Set.of(own));

    assertThat(secrets.find("passphrase")).isEmpty();
    assertThat(secrets.find("alias")).isEmpty();
  }

  @Test
  void knowsWhatANameIs() {
    var secrets = new OwnerSecrets(Optional.of(directory), Map.of(), Optional.empty(), Set.of());

    assertThat(secrets.isName("erp-db.password_1")).isTrue();
    for (String none : new String[] {"", "..", "../x", "a/b", ".hidden", "a b", "x".repeat(64)}) {
      assertThat(secrets.isName(none)).as(none).isFalse();
    }
  }
}
