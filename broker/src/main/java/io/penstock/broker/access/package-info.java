/// Who may do what: people, roles, service accounts, tokens, limits on guessing.
/// Imports `broker.store`, `broker.audit`, `broker.keys`, `broker.config`, vertx-auth-jwt,
/// vertx-auth-oauth2, BouncyCastle (Argon2id) and zxcvbn.
@NullMarked
package io.penstock.broker.access;

import org.jspecify.annotations.NullMarked;
