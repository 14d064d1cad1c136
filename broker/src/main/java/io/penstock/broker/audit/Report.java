package io.penstock.broker.audit;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One of the ready reports: a table.
///
/// @param parameters what it was asked with
/// @param rows a value for each field: an [Instant], a number, a text or nothing
/// @param next where the next page begins; empty = this is all
public record Report(
    String name,
    Instant generatedAt,
    Map<String, Object> parameters,
    List<String> fields,
    List<List<@Nullable Object>> rows,
    Optional<Long> next) {}
