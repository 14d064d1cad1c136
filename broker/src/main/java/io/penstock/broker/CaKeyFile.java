package io.penstock.broker;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.DevelopmentTls;
import io.penstock.broker.keys.Kek;
import io.penstock.broker.rotation.WrappedFiles;
import java.util.List;

/// The key of the development CA, where there is one: all that is wrapped outside the database.
record CaKeyFile(DataDirectory data, Kek kek) implements WrappedFiles {
  @Override
  public void rewrap() {
    DevelopmentTls.rewrap(data, kek);
  }

  @Override
  public List<String> needsOfOlderKek() {
    return DevelopmentTls.needsOfOlderKek(data, kek);
  }
}
