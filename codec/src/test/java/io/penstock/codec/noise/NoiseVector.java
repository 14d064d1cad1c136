package io.penstock.codec.noise;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/// One published handshake: both sides' keys and every message, in whichever of the three notations
/// it was published.
record NoiseVector(
    String protocolName,
    Hex prologue,
    List<Hex> psks,
    Side initiator,
    Side responder,
    List<Message> messages,
    Optional<Hex> handshakeHash) {

  /// @param kem the randomness of the KEM, in the hybrid suites
  record Side(Hex staticKey, Hex ephemeral, Hex kem) {}

  record Message(boolean byInitiator, Hex payload, Hex ciphertext) {}

  /// The notation of cacophony and snow, noise-c's dialect of it, and ours with a KEM.
  static List<NoiseVector> json(String resource) {
    return stream(Resources.json(resource).get("vectors")).map(NoiseVector::json).toList();
  }

  static NoiseVector json(JsonNode vector) {
    String name = vector.path("protocol_name").asText(vector.path("name").asText());
    return new NoiseVector(
        name,
        hex(vector, "init_prologue"),
        stream(vector.path("init_psks")).map(psk -> new Hex(psk.asText())).toList(),
        new Side(
            hex(vector, "init_static"), hex(vector, "init_ephemeral"), hex(vector, "init_kem")),
        new Side(
            hex(vector, "resp_static"), hex(vector, "resp_ephemeral"), hex(vector, "resp_kem")),
        messages(vector.path("messages")),
        Optional.ofNullable(vector.get("handshake_hash")).map(hash -> new Hex(hash.asText())));
  }

  private static List<Message> messages(JsonNode array) {
    List<Message> messages = new ArrayList<>();
    for (JsonNode message : array) {
      boolean byInitiator = messages.size() % 2 == 0;
      messages.add(new Message(byInitiator, hex(message, "payload"), hex(message, "ciphertext")));
    }
    return messages;
  }

  private static Hex hex(JsonNode node, String field) {
    return new Hex(node.path(field).asText());
  }

  private static java.util.stream.Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  /// The notation of flynn: paragraphs of `key=value`.
  static List<NoiseVector> paragraphs(String resource) {
    return Arrays.stream(Resources.text(resource).strip().split("\n\n"))
        .map(NoiseVector::ofParagraph)
        .toList();
  }

  private static NoiseVector ofParagraph(String paragraph) {
    Map<String, String> values =
        paragraph
            .lines()
            .map(line -> line.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1], (a, b) -> a, HashMap::new));
    return new NoiseVector(
        values.getOrDefault("handshake", ""),
        hex(values, "prologue"),
        values.containsKey("preshared_key") ? List.of(hex(values, "preshared_key")) : List.of(),
        new Side(hex(values, "init_static"), hex(values, "gen_init_ephemeral"), Hex.EMPTY),
        new Side(hex(values, "resp_static"), hex(values, "gen_resp_ephemeral"), Hex.EMPTY),
        messages(values),
        Optional.empty());
  }

  private static List<Message> messages(Map<String, String> values) {
    List<Message> messages = new ArrayList<>();
    for (int i = 0; values.containsKey("msg_" + i + "_ciphertext"); i++) {
      // The transport begins with the initiator, whoever wrote the last handshake message.
      boolean byInitiator = i < 3 ? i % 2 == 0 : i % 2 == 1;
      Hex payload = hex(values, "msg_" + i + "_payload");
      messages.add(new Message(byInitiator, payload, hex(values, "msg_" + i + "_ciphertext")));
    }
    return messages;
  }

  private static Hex hex(Map<String, String> values, String field) {
    return new Hex(values.getOrDefault(field, ""));
  }

  /// The modifiers in the name, such as `psk0` and `psk2` of
  /// `Noise_XXpsk0+psk2_25519_AESGCM_SHA256`.
  String[] modifiers() {
    String list = protocolName.substring("Noise_XX".length(), protocolName.indexOf("_25519"));
    return list.isEmpty() ? new String[0] : list.split("\\+", -1);
  }

  @Override
  public String toString() {
    return protocolName + " (" + messages.size() + " messages)";
  }
}
