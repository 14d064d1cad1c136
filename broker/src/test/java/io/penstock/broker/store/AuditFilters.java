package io.penstock.broker.store;

import io.penstock.broker.store.AuditTable.Filter;
import java.util.Optional;

/// What tests look for in the audit trail.
public final class AuditFilters {
  private AuditFilters() {}

  public static Filter newest(int limit) {
    return matching(Optional.empty(), Optional.empty(), limit);
  }

  public static Filter ofType(String type) {
    return matching(Optional.of(type), Optional.empty(), 1000);
  }

  public static Filter matching(Optional<String> type, Optional<String> resource, int limit) {
    return new Filter(
        Optional.empty(),
        type,
        resource,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        limit);
  }
}
