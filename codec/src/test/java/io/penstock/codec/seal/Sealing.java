package io.penstock.codec.seal;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// One agent with its keys, one configuration, and whoever signs it, for the tests here.
final class Sealing {
  static final Instant NOW = Instant.ofEpochSecond(1_790_000_000);
  static final SecureRandom RANDOM = new SecureRandom();
  static final SealedFor OWNER =
      new SealedFor("press-line-1", 2, "erp", destination("https://erp.plant"));
  static final String PASSWORD = "correct horse battery staple";
  static final byte[] SECRETS = utf8("{\"password\":\"" + PASSWORD + "\"}");
  static final byte[] SETTINGS = utf8("{\"base_url\":\"https://erp.plant\",\"allow\":[]}");

  final SealingKey agentKey = Hpke.generate(RANDOM);
  final SigningKey configurationKey = SigningKey.generate(RANDOM);
  final SigningKey recordKey = SigningKey.generate(RANDOM);
  final Keyset keyset =
      new Keyset(
          1,
          NOW.getEpochSecond() - 60,
          NOW.getEpochSecond() + 60,
          List.of(
              Keyset.Key.of(KeyUse.CONFIGURATION, configurationKey.verifyingKey()),
              Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey())));

  SealedSecrets seal() {
    return SealedSecrets.seal(SECRETS, OWNER, agentKey.publicKey(), Optional.empty(), RANDOM);
  }

  ConfigurationHeader header(long version, SealedSecrets sealed) {
    return header(OWNER, version, SETTINGS, Optional.of(sealed));
  }

  static ConfigurationHeader header(
      SealedFor owner, long version, byte[] settings, Optional<SealedSecrets> sealed) {
    return new ConfigurationHeader(
        owner.agent(),
        owner.generation(),
        owner.system(),
        "http",
        Octets.sha256(utf8("the schema")),
        version,
        ConfigurationHeader.NOTHING_BEFORE,
        Octets.sha256(settings),
        sealed.map(SealedSecrets::hashes).orElse(null),
        "admin@penstock.local",
        NOW.getEpochSecond());
  }

  static HeadManifest head(Map<String, HeadManifest.Entry> systems) {
    return new HeadManifest(
        OWNER.agent(),
        OWNER.generation(),
        1,
        7,
        NOW.getEpochSecond(),
        NOW.getEpochSecond() + 86_400,
        new TreeMap<>(systems));
  }

  static HeadManifest headOf(String headerJws, long version) {
    return head(
        Map.of(
            OWNER.system(),
            new HeadManifest.Listed(version, ConfigurationHeader.hashOf(headerJws))));
  }

  ConfigurationCheck check(HeadManifest head, Optional<HeldVersion> floor) {
    return new ConfigurationCheck(
        OWNER.agent(), OWNER.generation(), OWNER.system(), keyset, head, floor);
  }

  static Destination destination(String baseUrl) {
    return Destination.of(new TreeMap<>(Map.of("base_url", baseUrl)));
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
