package io.penstock.codec.noise;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The known answers of the hybrid suites, as the second implementation gives them. Nobody else has
/// published any.
final class HybridKnownAnswers {
  private static final Hex PROLOGUE = text("penstock known answers");
  private static final List<Hex> PAYLOADS =
      Stream.of("first", "second", "third", "a record", "its answer", "another record")
          .map(HybridKnownAnswers::text)
          .toList();
  private static final List<Hex> NO_PAYLOADS = PAYLOADS.stream().map(_ -> Hex.EMPTY).toList();

  private HybridKnownAnswers() {}

  /// Writes the file again; its path is the only argument.
  public static void main(String[] path) throws IOException {
    ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    ObjectNode file = mapper.createObjectNode();
    ArrayNode vectors = file.putArray("vectors");
    for (String suite : List.of("XXhfs", "XXhfs+psk3")) {
      write(vectors.addObject(), suite, Hex.EMPTY, NO_PAYLOADS, 0x00);
      write(vectors.addObject(), suite, PROLOGUE, PAYLOADS, 0x30);
    }
    Files.writeString(Path.of(path[0]), mapper.writeValueAsString(file) + "\n");
  }

  private static void write(
      ObjectNode vector, String suite, Hex prologue, List<Hex> payloads, int first) {
    vector.put("protocol_name", "Noise_" + suite + "_25519+MLKEM768_AESGCM_SHA256");
    vector.put("init_prologue", prologue.text());
    if (suite.endsWith("psk3")) {
      vector.putArray("init_psks").add(Hex.counting(first + 1, 32).text());
    }
    vector.put("init_static", Hex.counting(first + 2, 32).text());
    vector.put("init_ephemeral", Hex.counting(first + 3, 32).text());
    vector.put("init_kem", Hex.counting(first + 4, 64).text());
    vector.put("resp_prologue", prologue.text());
    vector.put("resp_static", Hex.counting(first + 5, 32).text());
    vector.put("resp_ephemeral", Hex.counting(first + 6, 32).text());
    vector.put("resp_kem", Hex.counting(first + 7, 32).text());
    answer(vector, NoiseVector.json(vector), payloads);
  }

  private static void answer(ObjectNode vector, NoiseVector inputs, List<Hex> payloads) {
    ReferenceNoise initiator = reference(inputs, true);
    ReferenceNoise responder = reference(inputs, false);
    ArrayNode messages = vector.putArray("messages");
    for (int i = 0; i < payloads.size(); i++) {
      ReferenceNoise writer = i % 2 == 0 ? initiator : responder;
      ReferenceNoise reader = i % 2 == 0 ? responder : initiator;
      byte[] ciphertext = writer.write(i, payloads.get(i).bytes());
      reader.read(i, ciphertext);
      messages
          .addObject()
          .put("payload", payloads.get(i).text())
          .put("ciphertext", Hex.of(ciphertext).text());
    }
    vector.put("handshake_hash", Hex.of(initiator.hash()).text());
  }

  static ReferenceNoise reference(NoiseVector vector, boolean initiator) {
    NoiseVector.Side side = initiator ? vector.initiator() : vector.responder();
    return new ReferenceNoise(
        initiator,
        vector.protocolName().contains("hfs"),
        vector.psks().isEmpty() ? new byte[0] : vector.psks().getFirst().bytes(),
        vector.prologue().bytes(),
        side.staticKey().bytes(),
        side.ephemeral().bytes(),
        side.kem().bytes());
  }

  private static Hex text(String text) {
    return Hex.of(text.getBytes(StandardCharsets.UTF_8));
  }
}
