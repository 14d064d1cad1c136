package io.penstock.broker.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  @TempDir Path temporary;

  @Test
  void isPrivateAndSoAreItsFiles() throws Exception {
    Path path = temporary.resolve("a/data");
    try (DataDirectory data = DataDirectory.open(path)) {
      data.write("secret", "x".getBytes(UTF_8));

      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rwx------");
      assertThat(
              PosixFilePermissions.toString(Files.getPosixFilePermissions(path.resolve("secret"))))
          .isEqualTo("rw-------");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.resolve("lock"))))
          .isEqualTo("rw-------");
    }
  }

  @Test
  void aSecondOwnerIsRefusedUntilTheFirstIsGone() {
    try (DataDirectory _ = DataDirectory.open(temporary)) {
      assertThatThrownBy(() -> DataDirectory.open(temporary))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("in use");
    }

    DataDirectory.open(temporary).close();
  }

  @Test
  void replacesAFileWholeEvenBesideTheRestOfACrash() throws Exception {
    try (DataDirectory data = DataDirectory.open(temporary)) {
      data.write("f", "old".getBytes(UTF_8));
      Files.writeString(temporary.resolve("f.new"), "half of the ne");

      data.write("f", "new".getBytes(UTF_8));

      assertThat(data.read("f").map(bytes -> new String(bytes, UTF_8))).contains("new");
      assertThat(temporary.resolve("f.new")).doesNotExist();
    }
  }
}
