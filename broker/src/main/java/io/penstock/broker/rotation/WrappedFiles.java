package io.penstock.broker.rotation;

import java.util.List;

/// What the KEK wraps outside the database.
public interface WrappedFiles {
  /// All of it under the newest KEK.
  void rewrap();

  /// What an older KEK still wraps; empty = nothing.
  List<String> needsOfOlderKek();
}
