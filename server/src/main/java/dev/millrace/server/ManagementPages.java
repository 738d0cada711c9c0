// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.manage.ConfigJson;
import dev.millrace.manage.LoadParameters;
import dev.millrace.manage.Management;
import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import dev.millrace.manage.ManagementJson;
import dev.millrace.manage.ManagementRequests;
import dev.millrace.manage.ModelControl;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/// Answers management requests over HTTP. Threads: any.
final class ManagementPages {
    /// Longer ones mean nothing; what would be is refused anyway.
    static final int MAX_BODY_BYTES = 1 << 20;

    private final Management management;

    ManagementPages(Management management) {
        this.management = management;
    }

    /// The protocol's extensions that work.
    List<String> extensions() {
        return management.extensions();
    }

    /// @param body of the request
    /// @throws ManagementException if there is no other answer
    Page answer(Route route, ByteBuf body) {
        return Page.json(HttpStatus.OK, json(route, body));
    }

    private byte[] json(Route route, ByteBuf body) {
        String model = route.model();
        return switch (route.target()) {
            case STATISTICS -> ManagementJson.statistics(management.statistics());
            case MODEL_STATISTICS -> ManagementJson.statistics(management.statistics(model, route.version()));
            case MODEL_VERSIONS -> ManagementJson.versions(management.versions(model));
            case MODEL_CONFIG -> ConfigJson.of(management.status(model, route.version()));
            case LOG -> ManagementJson.log(management.logSettings());
            case LOG_CHANGE -> ManagementJson.log(management.changeLog(ManagementRequests.logChange(bytes(body))));
            case TRACE -> ManagementJson.trace(management.traceSettings(model));
            case TRACE_CHANGE ->
                ManagementJson.trace(management.changeTrace(model, ManagementRequests.traceChange(bytes(body))));
            case SHARED_MEMORY -> throw unsupported("shared memory is", "tensors come with the request");
            case GENERATE -> throw unsupported("generate and generate_stream are", "expected infer");
            default -> throw new IllegalArgumentException("not answered here: " + route);
        };
    }

    /// Looks at the repositories; ends with what there is.
    ///
    /// @throws ManagementException if the request is wrong
    CompletionStage<Page> index(ByteBuf body) {
        boolean readyOnly = ManagementRequests.readyOnly(bytes(body));
        Supplier<Page> page = () -> Page.json(HttpStatus.OK, ManagementJson.index(management.index(readyOnly)));
        return management.control().takesLoads()
                ? CompletableFuture.supplyAsync(page, Thread::startVirtualThread)
                : CompletableFuture.completedFuture(page.get());
    }

    /// Begins what changes models; ends when they are changed.
    ///
    /// @throws ManagementException if it cannot be asked for
    CompletionStage<Void> change(Route route, ByteBuf body) {
        ModelControl control = management.control();
        String model = route.model();
        return switch (route.target()) {
            case LOAD -> load(control, model, body);
            case UNLOAD -> control.unload(model, ManagementRequests.unloadDependents(bytes(body)));
            case ROLLBACK -> control.rollback(model);
            case ALIAS -> control.alias(model, route.version(), ManagementRequests.aliasVersion(bytes(body)));
            case ALIAS_REMOVAL -> control.removeAlias(model, route.version());
            default -> throw new IllegalArgumentException("no change: " + route);
        };
    }

    /// A model may come with it, which is read elsewhere. Where nothing is loaded, nothing large is read.
    private static CompletionStage<Void> load(ModelControl control, String model, ByteBuf body) {
        if (control.takesLoads()) {
            byte[] text = ByteBufUtil.getBytes(body);
            return control.load(model, () -> ManagementRequests.loadParameters(text));
        }
        LoadParameters parameters = ManagementRequests.loadParameters(bytes(body));
        return control.load(model, () -> parameters);
    }

    private static ManagementException unsupported(String what, String instead) {
        return new ManagementException(Problem.UNSUPPORTED, what + " not supported by this server; " + instead);
    }

    private static byte[] bytes(ByteBuf body) {
        if (body.readableBytes() > MAX_BODY_BYTES) {
            throw ManagementException.invalid("the body has " + body.readableBytes() + " bytes, expected at most "
                    + MAX_BODY_BYTES + " for such a request");
        }
        return ByteBufUtil.getBytes(body);
    }
}
