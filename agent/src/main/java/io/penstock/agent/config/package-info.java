/// What the broker deploys to this agent: heads and documents checked and opened, secrets looked
/// up, instances started and swapped, floors remembered, receipts signed; instructions and tests.
/// Imports `agent.identity`, `agent.link`, `agent.plugin`, `codec`, Jackson and the JDK's HTTP
/// client for Vault; only the wiring and `agent.health` import it.
@NullMarked
package io.penstock.agent.config;

import org.jspecify.annotations.NullMarked;
