package io.penstock.codec.noise;

/// The two directions of a finished handshake, already turned to our side.
public record Transport(CipherState send, CipherState receive) {}
