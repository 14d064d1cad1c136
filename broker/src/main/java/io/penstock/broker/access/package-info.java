/// Who may do what: people, roles, service accounts, tokens, limits on guessing.
/// Imports `broker.store`, `broker.audit`, `broker.keys`, vertx-auth-jwt and BouncyCastle
/// (Argon2id).
@NullMarked
package io.penstock.broker.access;

import org.jspecify.annotations.NullMarked;
