// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// Requests of the Open Inference Protocol. Those of models whose rows are independent are cut and
/// put together to batches; of others each is one.
final class RequestDataset implements Dataset {
    private final Path file;
    private final RequestTexts.Opener requests;
    private final RowShapes shapes;
    private final Optional<String> labelName;

    RequestDataset(
            Path file, RequestTexts.Opener requests, Signature signature, Optional<String> labelName, boolean apart) {
        this.file = file;
        this.requests = requests;
        this.shapes = RowShapes.of(signature, apart);
        this.labelName = labelName;
    }

    @Override
    public void forEach(int rows, Sink sink) throws IOException {
        int capacity = shapes.rows(rows);
        try (RequestTexts texts = requests.open();
                RequestLine request = new RequestLine(shapes.inputs(), labelName);
                RequestBatch batch = new RequestBatch(shapes.inputs(), labelName.isPresent(), capacity, sink)) {
            for (String text = texts.next(); text != null; text = texts.next()) {
                if (!text.isBlank()) {
                    read(request, text, texts.place());
                    if (shapes.batch() == RowShapes.ANY) {
                        batch.add(request.tensors(), request.labels());
                    } else {
                        sink.accept(new Batch(request.tensors(), shapes.count(request.tensors()), request.labels()));
                    }
                }
            }
            batch.deliver();
        }
    }

    private void read(RequestLine request, String text, String place) throws InvalidDataException {
        try {
            request.read(text);
            if (shapes.batch() != RowShapes.WHOLE) {
                checkRows(request);
            }
            checkLabels(request);
        } catch (IllegalArgumentException e) {
            throw new InvalidDataException(file, place + ": " + e.getMessage(), e);
        }
    }

    private void checkRows(RequestLine request) {
        Tensor[] tensors = request.tensors();
        long rows = tensors.length == 0 ? 0 : tensors[0].dim(0);
        for (int i = 0; i < tensors.length; i++) {
            if (tensors[i].dim(0) != rows) {
                throw new IllegalArgumentException(
                        "input '" + shapes.inputs().get(i).name() + "' has " + tensors[i].dim(0) + " rows, expected "
                                + rows + " as '" + shapes.inputs().getFirst().name() + "' has");
            }
        }
    }

    private void checkLabels(RequestLine request) {
        long rows = shapes.count(request.tensors());
        if (labelName.isPresent() && request.labels().length != rows) {
            throw new IllegalArgumentException("labels '" + labelName.get() + "' are " + request.labels().length
                    + ", expected " + rows + ", one for each row");
        }
    }
}
