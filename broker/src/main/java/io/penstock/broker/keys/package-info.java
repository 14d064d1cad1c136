/// The broker's own keys: master key, sealed keystore, and what is made with them (keyset, node
/// certificates, signed records, token secrets, row MACs, wrapped secrets). May import the JDK,
/// Jackson, Caffeine, `codec.seal`, `codec.audit` and `broker.config`; no database and no network.
@NullMarked
package io.penstock.broker.keys;

import org.jspecify.annotations.NullMarked;
