# The program memgpt with the Discord bot, a store in PostgreSQL, and readers of office documents.
#   docker build -t memgpt .
#   docker run --rm -it -v memgpt:/data -e OPENAI_API_KEY memgpt run
# compose.yaml runs the bot with a PostgreSQL of its own.

FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /opt/memgpt
COPY requirements/dev.txt requirements/dev.txt
COPY pyproject.toml README.md LICENSE ./
COPY memgpt_autogen memgpt_autogen
# The versions that the tests ran with.
RUN /opt/memgpt/bin/python -m pip install --no-cache-dir --constraint requirements/dev.txt ".[postgres,discord,docs]"

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 memgpt && install --directory --owner memgpt --mode 700 /data
COPY --from=build /opt/memgpt /opt/memgpt
ENV PATH="/opt/memgpt/bin:$PATH" \
    MEMGPT_HOME=/data \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
ENTRYPOINT ["memgpt"]
CMD ["discord"]
