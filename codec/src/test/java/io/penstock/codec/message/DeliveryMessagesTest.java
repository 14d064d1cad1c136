package io.penstock.codec.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.message.ControlMessage.SystemState;
import io.penstock.codec.message.DeliveryMessage.Configuration;
import io.penstock.codec.message.DeliveryMessage.Head;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DeliveryMessagesTest {
  private static final ObjectMapper PLAIN_CBOR = new CBORMapper();
  private static final ConfigurationDocument DOCUMENT =
      new ConfigurationDocument("h.b.s", new byte[] {'{', '}'}, new byte[] {1, 2});

  @Test
  void aConfigurationReadsBackAsWritten() throws ProtocolException {
    var sent = new Configuration("erp", 3, "head", DOCUMENT);

    assertThat(Messages.decodeDelivery(Messages.encode(sent)))
        .get()
        .usingRecursiveComparison()
        .isEqualTo(sent);
  }

  @Test
  void whatIsTooLargeStaysAbsent() throws Exception {
    byte[] wire = Messages.encode(new Configuration("erp", 3, null, null));

    assertThat((Object) PLAIN_CBOR.readValue(wire, Map.class))
        .isEqualTo(Map.of("t", "configuration", "system", "erp", "version", 3));
    assertThat(Messages.decodeDelivery(wire)).contains(new Configuration("erp", 3, null, null));
  }

  @Test
  void aRemovalReadsBackAsWritten() throws ProtocolException {
    var sent = new Head("erp", 4, "head");

    assertThat(Messages.decodeDelivery(Messages.encode(sent))).contains(sent);
  }

  @ParameterizedTest
  @EnumSource(value = InstructionKind.class, names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
  void everyInstructionReadsBackAsWritten(InstructionKind kind) throws ProtocolException {
    var sent = new Instruction("i-1", 2, kind, "erp", "order");

    assertThat(Messages.decodeDelivery(Messages.encode(sent))).contains(sent);
  }

  @Test
  void anUnknownMessageOrInstructionIsEmpty() throws Exception {
    byte[] message = PLAIN_CBOR.writeValueAsBytes(Map.of("t", "of_a_newer_broker", "x", 1));
    byte[] instruction =
        PLAIN_CBOR.writeValueAsBytes(
            Map.of("t", "instruction", "id", "i-1", "generation", 2, "kind", "dance"));

    assertThat(Messages.decodeDelivery(message)).isEmpty();
    assertThat(Messages.decodeDelivery(instruction)).isEmpty();
  }

  @Test
  void unknownKeysAreIgnored() throws Exception {
    byte[] wire =
        PLAIN_CBOR.writeValueAsBytes(
            Map.of(
                "t",
                "instruction",
                "id",
                "i-1",
                "generation",
                2,
                "kind",
                "wipe",
                "new",
                List.of(1)));

    assertThat(Messages.decodeDelivery(wire))
        .contains(new Instruction("i-1", 2, InstructionKind.WIPE, null, null));
  }

  @Test
  void anInstructionWithoutAGenerationIsRefused() throws Exception {
    byte[] wire =
        PLAIN_CBOR.writeValueAsBytes(Map.of("t", "instruction", "id", "i-1", "kind", "wipe"));

    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> Messages.decodeDelivery(wire));
  }

  @Test
  void everyTruncationIsRefused() {
    byte[] wire = Messages.encode(new Configuration("erp", 3, "head", DOCUMENT));

    for (int length = 0; length < wire.length; length++) {
      byte[] cut = Arrays.copyOf(wire, length);
      assertThatExceptionOfType(ProtocolException.class)
          .as("cut to %d bytes", length)
          .isThrownBy(() -> Messages.decodeDelivery(cut));
    }
  }

  @Test
  void missingFieldsAreRefused() throws IOException {
    for (Map<String, ?> body :
        List.of(
            Map.of("t", "configuration", "version", 1),
            Map.of("t", "configuration", "system", "erp"),
            Map.of("t", "configuration", "system", "erp", "version", 0),
            Map.of("t", "head"),
            Map.of("t", "instruction", "id", "i"),
            Map.of("t", "instruction", "kind", "wipe"))) {
      byte[] wire = PLAIN_CBOR.writeValueAsBytes(body);
      assertThatExceptionOfType(ProtocolException.class)
          .as("%s", body)
          .isThrownBy(() -> Messages.decodeDelivery(wire));
    }
  }

  @Test
  void aReceiptIsEitherSignedOrAResult() throws ProtocolException {
    var signed = DeliveryReceipt.of("h.b.s");
    var result = DeliveryReceipt.result("restarted");

    assertThat(Messages.decodeReceipt(Messages.encode(signed))).isEqualTo(signed);
    assertThat(Messages.decodeReceipt(Messages.encode(result))).isEqualTo(result);
    assertThatIllegalArgumentException().isThrownBy(() -> new DeliveryReceipt(null, null, null));
    assertThatIllegalArgumentException().isThrownBy(() -> new DeliveryReceipt("a", "b", null));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DeliveryReceipt.result("x".repeat(1_025)));
  }

  @Test
  void receiptsOfSeveralMessagesNameThemRising() throws ProtocolException {
    var several = DeliveryReceipt.of("h.b.s", List.of(3L, 4L, 9L));

    assertThat(Messages.decodeReceipt(Messages.encode(several))).isEqualTo(several);
    for (List<Long> wrong :
        List.of(List.<Long>of(), List.of(4L, 3L), List.of(4L, 4L), List.of(0L, 1L), rising(33))) {
      assertThatIllegalArgumentException()
          .as("%s", wrong)
          .isThrownBy(() -> DeliveryReceipt.of("h.b.s", wrong));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DeliveryReceipt(null, "done", List.of(1L, 2L)));
  }

  private static List<Long> rising(int count) {
    return LongStream.rangeClosed(1, count).boxed().toList();
  }

  @Test
  void theLargestDocumentReadsBackAndALargerOneDoesNot() throws Exception {
    byte[] sealed = new byte[(1024 * 1024 / 3 + 1) * 4 + 16 * 1024];
    var largest = new ConfigurationDocument("h".repeat(4 * 1024), new byte[64 * 1024], sealed);
    byte[] over =
        PLAIN_CBOR.writeValueAsBytes(
            Map.of("header", "h", "settings", new byte[1], "x", new byte[3 * 1024 * 1024]));

    ConfigurationDocument read = Messages.decodeDocument(Messages.encode(largest));

    assertThat(read.header()).isEqualTo(largest.header());
    assertThat(read.settings()).isEqualTo(largest.settings());
    assertThat(read.sealed()).isEqualTo(sealed);
    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> Messages.decodeDocument(over));
  }

  @Test
  void aDocumentPrintsNothingOfItsContent() {
    assertThat(DOCUMENT).hasToString("ConfigurationDocument[2 bytes of settings, 2 sealed]");
  }

  @Test
  void aStateReportReadsBackAndANewerStateIsUnknown() throws Exception {
    var report =
        new StateReport(1, 7, List.of(new SystemState("erp", 3, new byte[32], State.LIVE, 3)));

    byte[] wire = Messages.encode(report);
    byte[] newer =
        new String(wire, java.nio.charset.StandardCharsets.ISO_8859_1)
            .replace("dlive", "dlazy")
            .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);

    assertThat(Messages.decode(wire)).get().usingRecursiveComparison().isEqualTo(report);
    assertThat(Messages.decode(newer, StateReport.class).systems().getFirst().state())
        .isEqualTo(State.UNKNOWN);
  }

  @Test
  void theLargestHeadFitsAControlMessage() throws ProtocolException {
    var head = new ControlMessage.Head("h".repeat(ControlMessage.MAX_HEAD_CHARS));
    var welcome =
        new ControlMessage.Welcome(new byte[16], new byte[16 * 1024 + 64], 1_024, head.head());

    assertThat(Messages.decode(Messages.encode(head))).contains(head);
    assertThat(Messages.encode(welcome).length)
        .isLessThanOrEqualTo(io.penstock.codec.Protocol.MAX_CONTROL_BYTES);
  }
}
