package io.penstock.broker.agents;

import java.util.Optional;

/// Who decides, for audit and the signed record.
///
/// @param address where the call came from, as text
public record Operator(String email, Optional<String> address) {}
