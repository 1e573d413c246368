"""Reading ``llm_config``."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from memgpt_autogen.errors import ConfigError
from memgpt_autogen.groupchat.llm_config import read_llm_config

pytestmark = pytest.mark.groupchat

HOSTED = {"config_list": [{"model": "gpt-4o", "api_key": "k"}], "temperature": 0, "cache_seed": None}


def test_a_plain_config_goes_to_autogen_as_it_is() -> None:
    entry = read_llm_config(HOSTED)
    assert entry.hosted and entry.explicit is None and entry.autogen == HOSTED
    assert entry.hint.model == "gpt-4o"


@pytest.mark.contract("config forms")
def test_our_keys_never_reach_a_provider() -> None:
    given = {"model": "gpt-4o", "api_key": "k", "preset": "memgpt_docs", "human": "Bob", "context_window": 4096}
    entry = read_llm_config({"config_list": [given]})
    assert entry.autogen == {"config_list": [{"model": "gpt-4o", "api_key": "k"}]}
    assert entry.options == {"preset": "memgpt_docs", "human": "Bob"} and entry.hint.context_window == 4096


@pytest.mark.contract("config forms")
def test_old_forms_are_brought_up_to_date() -> None:
    entry = read_llm_config(
        [{"model": "m", "api_type": "open_ai", "api_base": "http://localhost:1/v1", "api_key": "NULL"}]
    )
    assert entry.autogen == {
        "config_list": [{"model": "m", "api_type": "openai", "base_url": "http://localhost:1/v1", "api_key": "NULL"}]
    }


def test_the_original_s_form_names_a_model_for_us() -> None:
    given = {
        "model": "gpt-4",
        "model_endpoint_type": "openai",
        "model_endpoint": "https://example.test/v1",
        "openai_key": "k",
        "context_window": 8192,
        "preset": "memgpt_chat",
    }
    entry = read_llm_config({"config_list": [given]})
    assert not entry.hosted and entry.explicit is not None
    assert (entry.explicit.model, entry.explicit.address) == ("gpt-4", "https://example.test")
    assert entry.explicit.api_key == "k" and entry.explicit.context_window == 8192
    assert entry.autogen == {
        "config_list": [{"model": "gpt-4", "api_key": "not-needed", "base_url": "https://example.test/v1"}]
    }


def test_azure_in_the_original_s_form() -> None:
    given = {
        "model": "gpt-4",
        "model_wrapper": None,
        "model_endpoint_type": "azure",
        "azure_key": "k",
        "azure_endpoint": "https://example.test",
        "azure_version": "2024-06-01",
        "embedding_embedding_endpoint_type": "azure",
    }
    entry = read_llm_config([given])
    assert entry.explicit is not None and not entry.hosted
    assert (entry.explicit.model, entry.explicit.api_key) == ("gpt-4", "k")
    assert (entry.explicit.address, entry.explicit.settings) == ("https://example.test", {"api_version": "2024-06-01"})
    assert set(entry.autogen["config_list"][0]) == {"model", "api_key", "base_url"}  # type: ignore[index]
    deployed = read_llm_config([{**given, "azure_deployment": "mine"}]).explicit
    assert deployed is not None and deployed.model == "mine"


def test_servers_by_their_old_names_and_models_without_one() -> None:
    given = {"model": "NULL", "model_endpoint_type": "lmstudio-legacy", "model_endpoint": "http://localhost:1234"}
    explicit = read_llm_config([given]).explicit
    assert explicit is not None and (explicit.model_endpoint_type, explicit.model) == ("lmstudio", "")
    with pytest.raises(ConfigError, match="model_endpoint_type 'google_ai' is not known.*api_type"):
        read_llm_config([{"model_endpoint_type": "google_ai"}])


def test_settings_of_the_first_autogens_are_brought_up_to_date() -> None:
    config = {**HOSTED, "request_timeout": 600, "use_cache": False, "seed": 42}
    assert read_llm_config(config).autogen == {**HOSTED, "timeout": 600, "cache_seed": None, "seed": 42}


@pytest.mark.parametrize("given", [{"model": "airoboros-l2-70b-2.1"}, {"model": "m", "api_type": "openai"}])
def test_an_entry_without_a_place_falls_through(given: dict[str, Any]) -> None:
    entry = read_llm_config({"config_list": [given]})
    assert not entry.hosted and entry.explicit is None and entry.hint.model == given["model"]


@pytest.mark.parametrize("place", [{"base_url": "http://x"}, {"api_type": "anthropic"}, {"model_client_cls": "Mine"}])
def test_an_entry_with_a_place_is_autogen_s_to_call(place: dict[str, Any]) -> None:
    assert read_llm_config({"config_list": [{"model": "m", **place}]}).hosted


@pytest.mark.contract("llm_config")
def test_the_user_s_dict_is_never_changed() -> None:
    entry = {"model": "m", "api_base": "http://x", "preset": "p", "model_wrapper": "chatml"}
    given = {"config_list": [entry], "seed": 1}
    before = copy.deepcopy(given)
    read_llm_config(given)
    assert given == before


def test_bad_configs_say_what_to_do() -> None:
    with pytest.raises(ConfigError, match="model_endpoint_type 'ollamaa' is not known"):
        read_llm_config({"config_list": [{"model": "m", "model_endpoint_type": "ollamaa"}]})


OPTIONS = {"temperature": 0.3, "top_p": 0.5, "seed": 5, "max_tokens": 77, "tool_choice": "none", "n": 2, "timeout": 9}


@pytest.mark.parametrize("place", ["entry", "top"])
@pytest.mark.parametrize(
    ("kind", "used", "named"),
    [
        ("openai", {"top_p": 0.5, "seed": 5, "max_tokens": 77}, "n, tool_choice are not used"),
        ("llamacpp", {"top_p": 0.5, "seed": 5}, "max_tokens, n, tool_choice are not used"),
    ],
)
def test_options_reach_a_model_that_is_called_directly_or_are_named(
    caplog: pytest.LogCaptureFixture, place: str, kind: str, used: dict[str, Any], named: str
) -> None:
    entry = {"model": "m", "model_endpoint_type": kind, "model_endpoint": "http://127.0.0.1:9"}
    given = {"config_list": [{**entry, **OPTIONS}]} if place == "entry" else {"config_list": [entry], **OPTIONS}
    explicit = read_llm_config(given).explicit
    assert explicit and (explicit.temperature, explicit.timeout, dict(explicit.settings)) == (0.3, 9.0, used)
    assert named in caplog.text


def test_an_entry_that_falls_through_says_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    read_llm_config({"config_list": [{"model": None}], "temperature": 0.1, "cache_seed": None, "top_p": 1.0})
    assert "temperature, top_p are not used" in caplog.text
    caplog.clear()
    read_llm_config({"config_list": [{"model": "gpt-4o", "api_key": "k", "top_p": 1.0}]})
    assert not caplog.text
