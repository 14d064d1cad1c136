package io.penstock.broker.delivery;

/// Whom something is for: an agent that is enrolled anew is another.
public record Addressee(String agent, long generation) {}
