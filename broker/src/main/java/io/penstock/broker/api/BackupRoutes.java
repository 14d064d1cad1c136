package io.penstock.broker.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.broker.access.Permission;
import io.penstock.broker.backup.BackupException;
import io.penstock.broker.backup.Backups;
import io.vertx.core.http.HttpMethod;
import java.util.Arrays;

/// `/api/v1/backups`: everything the broker holds as one sealed file, for Admins.
final class BackupRoutes {
  private static final String TYPE = "application/vnd.penstock.backup";

  private final Backups backups;

  BackupRoutes(Backups backups) {
    this.backups = backups;
  }

  void addTo(Routes routes) {
    routes.needs(Permission.BACKUPS_MANAGE, HttpMethod.POST, "/api/v1/backups", this::make);
  }

  private Answer make(Request request) {
    byte[] passphrase = Request.text(request.json("passphrase"), "passphrase").getBytes(UTF_8);
    try {
      if (passphrase.length < Backups.MIN_PASSPHRASE_BYTES) {
        throw Request.expected(
            "passphrase", "a text of at least " + Backups.MIN_PASSPHRASE_BYTES + " bytes");
      }
      Backups.Made made = backups.make(passphrase, request.actor());
      return Answer.sending(made.file(), TYPE)
          .withField("Penstock-Backup-At", made.at().toString());
    } catch (BackupException busy) {
      throw Problem.conflict("backup-refused", String.valueOf(busy.getMessage()));
    } finally {
      Arrays.fill(passphrase, (byte) 0);
    }
  }
}
