package io.penstock.broker.config;

/// `DEVELOPMENT` makes its own CA and certificate; `PRODUCTION` refuses to start without real ones.
public enum TlsProfile {
  DEVELOPMENT,
  PRODUCTION
}
