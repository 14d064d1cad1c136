package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/// What one stage of a check came to: expected, found, and what to do about it.
record Finding(Level level, String stage, String expected, String found, String remedy) {

  enum Level {
    OK,
    WARN,
    FAIL
  }

  static Finding ok(String stage, String expected, String found) {
    return new Finding(Level.OK, stage, expected, found, "");
  }

  static Finding warn(String stage, String expected, String found, String remedy) {
    return new Finding(Level.WARN, stage, expected, found, remedy);
  }

  static Finding fail(String stage, String expected, String found, String remedy) {
    return new Finding(Level.FAIL, stage, expected, found, remedy);
  }

  boolean failed() {
    return level == Level.FAIL;
  }

  String text() {
    String text = "expected " + expected + ", found " + found;
    return remedy.isEmpty() ? text : text + "; " + remedy;
  }

  String line() {
    return (level == Level.FAIL ? "FAIL" : label()) + " " + stage + " – " + text();
  }

  ObjectNode toJson() {
    return Json.object()
        .put("stage", stage)
        .put("level", label())
        .put("expected", expected)
        .put("found", found)
        .put("remedy", remedy);
  }

  private String label() {
    return level.name().toLowerCase(Locale.ROOT);
  }
}
