package io.penstock.broker.alarms;

import io.penstock.broker.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A secret that rests in a file of one line. Prints nothing.
record SecretFile(String text) {
  static SecretFile read(String key, Path file, int least) {
    String text;
    try {
      text = Files.readString(file).strip();
    } catch (IOException e) {
      throw new ConfigException(List.of(key + ": cannot read " + file));
    }
    if (text.length() < least || text.lines().count() > 1) {
      throw new ConfigException(
          List.of(key + ": expected one line of at least " + least + " characters in " + file));
    }
    return new SecretFile(text);
  }

  @Override
  public String toString() {
    return "SecretFile[secret]";
  }
}
