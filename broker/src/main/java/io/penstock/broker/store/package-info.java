/// Everything that speaks to Postgres: the embedded server, the pool and its transactions, the
/// migrations, and one table class per concept. The only package that imports a Postgres client or
/// writes SQL; may import `codec.seal`, `codec.audit`, `broker.config` and `broker.keys`.
@NullMarked
package io.penstock.broker.store;

import org.jspecify.annotations.NullMarked;
