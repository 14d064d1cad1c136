package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;

/// Who decides, for audit and the signed record.
record Operator(String email, Actor.Origin origin) {
  static Operator of(Actor actor) {
    return new Operator(actor.name(), actor.origin());
  }
}
