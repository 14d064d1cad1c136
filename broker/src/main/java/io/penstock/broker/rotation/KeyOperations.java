package io.penstock.broker.rotation;

import io.penstock.broker.access.Actor;
import io.penstock.broker.keys.KeyView;
import io.penstock.broker.keys.ManagedKey;
import java.util.List;
import java.util.Set;

/// What an Admin sees of the owner's keys and does to them. Blocks. What cannot be done without
/// stranding something throws [io.penstock.broker.keys.RotationRefusedException], which says what.
public interface KeyOperations {

  /// @param neededBy why a replaced key is not retired yet; empty for every other
  record Listed(KeyView key, List<String> neededBy) {}

  /// @param kid the new key
  /// @param replaced the one before
  record Rotated(ManagedKey use, String kid, String replaced) {}

  /// @param failed what could not be carried over, with the reason
  record Outcome(List<Rotated> rotated, List<String> failed) {}

  /// Older ones of a use first.
  List<Listed> list();

  Outcome rotate(Set<ManagedKey> uses, Actor by);

  /// What ends when the keys of these uses are given up at once.
  List<String> consequences(Set<ManagedKey> uses);

  /// Somebody else may have the old keys: they count for nothing when this returns.
  Outcome rotateCompromised(Set<ManagedKey> uses, Actor by);

  /// Gives up a replaced key that nothing needs any more.
  void retire(String kid, Actor by);
}
