package io.penstock.broker.audit;

import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.audit.Finding;
import java.util.Optional;

/// What a look at the chain found.
///
/// @param complete it was looked at to its end, or to the first bad record; else go on after `to`
/// @param after where this look began
/// @param to position of the last record that is right
/// @param bad the first record that is not
/// @param checkpoint the newest that is known, and its compact text
/// @param waiting records that were found without a place yet, at most a thousand
public record Verdict(
    boolean complete,
    long after,
    long to,
    Optional<Finding> bad,
    Optional<AuditCheckpoint> checkpoint,
    Optional<String> checkpointJws,
    int waiting) {}
