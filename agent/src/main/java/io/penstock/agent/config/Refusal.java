package io.penstock.agent.config;

import io.penstock.codec.seal.Receipt.Reason;

/// Why a version is not applied (`docs/sealed-configuration.md`, section 5).
///
/// @param detail names things and sizes, never the value of a secret
record Refusal(Reason reason, String detail) {
  @Override
  public String toString() {
    return reason.text() + ": " + detail;
  }
}
