package io.penstock.agent.config;

import io.penstock.codec.seal.Receipt.Reason;

/// Why a version is not applied (`docs/sealed-configuration.md`, section 5).
///
/// @param detail names things and sizes, never the value of a secret
/// @param mayPass the very same version may be fine later, because something else changes: it is
///     tried again by itself
record Refusal(Reason reason, String detail, boolean mayPass) {
  Refusal(Reason reason, String detail) {
    this(reason, detail, mayPass(reason));
  }

  private static boolean mayPass(Reason reason) {
    return reason == Reason.MISSING_SECRET_REFERENCE
        || reason == Reason.START_FAILED
        || reason == Reason.NOT_LISTED;
  }

  @Override
  public String toString() {
    return reason.text() + ": " + detail;
  }
}
