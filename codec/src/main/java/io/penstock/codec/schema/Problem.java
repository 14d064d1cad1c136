package io.penstock.codec.schema;

/// What is wrong with one setting or secret. Safe to show and log: a secret's value is never in it.
///
/// @param path JSON Pointer (RFC 6901); empty = the whole
public record Problem(String path, String expected, String found) {
  @Override
  public String toString() {
    return (path.isEmpty() ? "settings" : path) + ": expected " + expected + ", found " + found;
  }
}
