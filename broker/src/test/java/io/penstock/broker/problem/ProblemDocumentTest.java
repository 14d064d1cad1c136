package io.penstock.broker.problem;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProblemDocumentTest {

  @Test
  void writesRfc9457() {
    assertThat(new ProblemDocument(409, "taken", "that name is taken").json("r-1"))
        .isEqualTo(
            "{\"type\":\"about:blank\",\"title\":\"taken\",\"status\":409,"
                + "\"detail\":\"that name is taken\",\"request_id\":\"r-1\"}");
  }

  @Test
  void leavesOutADetailThatIsNone() {
    assertThat(new ProblemDocument(431, "Head too large", "").json("r-1"))
        .isEqualTo(
            "{\"type\":\"about:blank\",\"title\":\"Head too large\",\"status\":431,"
                + "\"request_id\":\"r-1\"}");
  }

  @Test
  void anyTextIsJson() {
    String odd = "a \"quoted\" \\ text\nof two lines \u0001 – ü";

    var read = new JsonObject(new ProblemDocument(400, "bad-request", odd).json("r-1"));

    assertThat(read.getString("detail")).isEqualTo(odd);
  }

  @Test
  void errorsAreListedOneByOne() {
    var document =
        new ProblemDocument(
            400,
            "schema-invalid",
            "",
            List.of(
                new ProblemDocument.Finding("/a\"b", "type integer", "string"),
                new ProblemDocument.Finding("/c", "a value", "none")));

    assertThat(new JsonObject(document.json("r-1")).getJsonArray("errors"))
        .isEqualTo(
            new JsonArray()
                .add(
                    new JsonObject()
                        .put("path", "/a\"b")
                        .put("expected", "type integer")
                        .put("found", "string"))
                .add(
                    new JsonObject()
                        .put("path", "/c")
                        .put("expected", "a value")
                        .put("found", "none")));
  }
}
