package io.penstock.broker.api;

import io.penstock.broker.access.Actor;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.keys.RotationRefusedException;
import io.penstock.broker.rotation.KeyOperations;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// Notes what it is asked for.
final class NoKeys implements KeyOperations {
  final List<String> asked = new ArrayList<>();

  @Override
  public List<Listed> list() {
    return List.of();
  }

  @Override
  public Outcome rotate(Set<ManagedKey> uses, Actor by) {
    asked.add("rotate " + EnumSet.copyOf(uses) + " by " + by.name());
    return new Outcome(List.of(), List.of());
  }

  @Override
  public List<String> consequences(Set<ManagedKey> uses) {
    return List.of("everything ends");
  }

  @Override
  public Outcome rotateCompromised(Set<ManagedKey> uses, Actor by) {
    asked.add("compromised " + EnumSet.copyOf(uses));
    return new Outcome(List.of(), List.of());
  }

  @Override
  public void retire(String kid, Actor by) {
    throw new RotationRefusedException(kid + " is needed by 3 agent records");
  }
}
