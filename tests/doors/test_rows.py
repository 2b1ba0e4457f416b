"""What was asked for, row by row, and where it is shown: in this folder, or beside what it is about.

Each row names tests; here it is seen that they are there. Rows that are shown in this folder are played with it.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
SILENT, FATAL, KEPT, OPTIONAL = (
    f"doors/test_{name}.py" for name in ("nothing_silent", "nothing_fatal", "kept_code", "optional")
)
SCALARS, NAMES, HOURS = (f"doors/test_{name}.py" for name in ("numpy_scalars", "graphs_and_names", "first_hours"))
READY = "doors/test_ready_to_publish.py"

ROWS = {
    # 1. Nothing silently wrong
    "unsigned checkpoints out of order": f"{SILENT}::test_unsigned_checkpoints_out_of_order",
    "masked arrays, strings, bytes, complex, dates": f"{SILENT}::test_arrays_of_another_kind "
    f"{SILENT}::test_samples_of_a_party_of_another_kind test_doors.py::test_what_is_no_number_is_refused_by_every_door",
    "infinity in settings": f"{SILENT}::test_infinity_in_settings",
    "infinity in TOML": f"{SILENT}::test_infinity_in_a_file",
    "Gaussian of 1e308": f"{SILENT}::test_a_gaussian_whose_gaps_are_no_numbers",
    "one door for arrays": "test_doors.py::test_what_is_of_the_kind_comes_through_as_it_is",
    "one door for numbers": f"{SILENT}::test_one_door_for_numbers "
    "test_doors.py::test_what_is_no_single_number_is_in_no_range",
    # 2. Nothing optional is fatal
    "a kernel cache that is cut or emptied": f"{KEPT}::test_a_damaged_file_is_compiled_anew_and_mended",
    "a kernel cache that is full or read-only": f"{KEPT}::test_what_cannot_be_written_is_not_kept",
    "a kernel cache of another user": f"{KEPT}::test_code_that_another_user_wrote_is_not_run",
    "a kernel cache that root warmed": f"{KEPT}::test_a_cache_that_root_filled_and_nobody_else_may_write_is_used",
    "no HOME, unknown uid": f"{FATAL}::test_no_home_and_a_user_that_nobody_knows "
    f"{KEPT}::test_a_user_without_a_home_has_no_folder",
    "no metadata": f"{OPTIONAL}::test_without_metadata_the_version_is_unknown "
    "doors/test_doctor.py::test_without_metadata_nothing_fails",
    "a damaged result.json": f"{FATAL}::test_a_damaged_result_json "
    f"{FATAL}::test_a_value_of_result_json_that_is_another",
    "a damaged log": f"{FATAL}::test_a_damaged_log "
    "simulate/test_sweep.py::test_a_corrupt_row_is_refused_with_its_place",
    "a damaged saved folder": f"{FATAL}::test_a_damaged_file_of_arrays "
    "simulate/test_damaged_results.py::test_random_damage_is_refused_by_name_or_changes_nothing",
    "Result.save on a full disk": f"{FATAL}::test_a_result_is_saved_on_a_full_disk "
    f"{FATAL}::test_a_result_is_saved_where_the_disk_takes_no_more",
    "a run on a full disk": "cli/test_bad_input.py::test_a_full_disk",
    "names of 300 characters": f"{FATAL}::test_names_of_300_characters {OPTIONAL}::test_a_name_of_300_characters "
    f"{FATAL}::test_an_algorithm_whose_name_has_300_characters",
    "a byte-order mark": f"{OPTIONAL}::test_a_file_that_begins_with_a_byte_order_mark_is_an_experiment "
    f"{FATAL}::test_a_byte_order_mark_in_a_file_of_edges {FATAL}::test_a_byte_order_mark_in_a_recording "
    f"{FATAL}::test_a_byte_order_mark_in_a_log_of_ones_own",
    "a console of cp1252 or ascii": f"{OPTIONAL}::test_a_console_that_cannot_print_a_name",
    "the umask": f"{OPTIONAL}::test_what_is_written_has_the_permissions_that_the_umask_gives "
    "test_files.py::test_the_users_umask_counts",
    "a group resumes": f"{FATAL}::test_a_group_resumes_what_one_of_it_has_begun",
    # 3. Parallel for real
    "replicates are handed over as they come on Dask": "simulate/test_backends.py::test_tasks_come_back_one_by_one",
    "and are in the log after Ctrl-C": "simulate/test_backends.py::"
    "test_what_is_finished_at_an_interrupt_is_in_the_log_and_the_rest_is_played_later",
    "own algorithms on Dask": "simulate/test_backends.py::test_an_own_class_that_workers_cannot_import_is_refused "
    "simulate/test_backends.py::test_an_own_class_in_a_module_works_once_the_module_is_there",
    "a real cluster of two workers": "simulate/test_replicates.py::test_two_dask_worker_processes_give_the_same_result "
    "conformance/test_workers.py::test_a_dask_cluster_gives_the_same",
    "Ray (make test-ray)": "simulate/test_ray.py::test_tasks_come_back_one_by_one_with_the_same_result "
    "simulate/test_ray.py::test_an_own_class_is_refused",
    "Slurm: a recipe": f"{READY}::test_a_recipe_for_slurm",
    "the memory check counts workers": "simulate/test_forked.py::test_the_memory_of_all_workers_counts",
    "a forked pool after a parallel run": "simulate/test_forked.py::"
    "test_a_copy_of_a_process_that_played_in_threads_plays_in_threads",
    "two threads with the workqueue layer": "simulate/test_forked.py::test_games_at_once_each_in_threads "
    "simulate/test_forked.py::test_the_compilers_own_threads_are_never_begun",
    # 4. Scalars, graphs, names, sizes
    "NumPy scalars as seed, jobs, horizon": f"{SCALARS}::test_whole_numbers_of_a_run",
    "NumPy scalars as settings": f"{SCALARS}::test_settings_are_those_of_python",
    "NumPy scalars as labels": f"{NAMES}::test_labels_of_numpy",
    "paths": f"{NAMES}::test_a_path_is_taken_as_a_path_or_as_text",
    "save never fails on them; JSON without NaN": f"{NAMES}::test_what_is_saved_is_json_without_nan",
    "nodes out of order": f"{NAMES}::test_nodes_out_of_order_are_warned_about "
    f"{NAMES}::test_nodes_in_order_and_nodes_with_names_are_not",
    "a self-loop": f"{NAMES}::test_a_self_loop_names_the_node",
    "long values of a grid": f"{NAMES}::test_two_long_values_of_a_grid_never_end_as_one_name "
    "experiments/test_experiment_files.py::test_two_long_values_of_a_grid_never_end_as_one_name",
    "60 values x 2 algorithms below 1 MB": f"{NAMES}::test_a_grid_of_sixty_values_says_its_settings_once "
    "report/test_sweeps.py::test_the_report_of_sixty_values_is_small_and_says_each_setting_once",
    "figures keep their shape": "report/test_sweeps.py::test_sixty_values_keep_the_shape_of_the_figure",
    "names in any script": "report/test_names.py::test_a_font_that_has_the_characters_is_taken "
    "report/test_names.py::test_what_no_font_has_is_written_in_latin_letters",
    # 6. Documentation, and what those who tried it first met
    "every public name on a page": "docs/test_site.py::test_every_public_name_is_on_one_page",
    "code blocks run": "docs/test_pages.py::test_a_page_does_what_it_says",
    "links": "docs/test_links.py::test_links_lead_somewhere",
    "a notebook and its kernel": "docs/test_notebook.py::test_every_cell_runs "
    "docs/test_notebook.py::test_an_interrupt_ends_a_run_and_the_kernel_goes_on "
    f"{HOURS}::test_progress_in_a_kernel_is_one_line_that_changes",
    "an activation line after make demo": f"{HOURS}::test_the_demo_ends_with_the_line_that_activates",
    "a page for TOML keys": "docs/test_site.py::test_the_page_of_keys_has_every_group "
    "docs/test_site.py::test_every_key_of_every_type_says_what_it_means",
    "a page for result files": "docs/test_result_files.py::test_the_page_lists_the_columns",
    "a demo with a reason": "experiments/test_experiment_files.py::test_the_demo_is_the_comparison_it_says",
    "the guide's own network": f"{HOURS}::test_the_network_of_the_guide_is_taken_as_the_guide_writes_it",
    "ledger show by name, in words, as JSON": "multiparty/chain/test_bema_shown.py::test_terms_and_parties_by_name "
    "multiparty/chain/test_bema_shown.py::test_all_that_stands_in_a_block_of_samples_is_shown",
    "swept values as columns": f"{NAMES}::test_a_grid_of_sixty_values_says_its_settings_once "
    "report/test_swept_columns.py::test_columns_of_the_files",
    "repr(result)": f"{HOURS}::test_every_result_is_shown_on_a_line {SCALARS}::test_a_result_is_shown_on_a_line",
    "exploration and c1, adversaries and corruptions, GSE, ring, [algorithm], p, 1e4, equal names": "experiments/"
    "test_said_at_once.py::test_the_line_says_what_was_meant experiments/test_said_at_once.py::"
    "test_adversaries_are_corruptions",
    "a changed file of the same name": f"{HOURS}::test_a_changed_file_of_the_same_name_keeps_the_old_report",
    "progress off a terminal": f"{HOURS}::test_progress_off_a_terminal",
    "reproduce with time and needs": f"{HOURS}::test_reproduce_says_time_and_needs_of_each_figure",
    "sentences that nobody understood": f"{HOURS}::test_sentences_that_nobody_understood_are_gone",
    # 7. Adapters
    "PettingZoo": "adapters/test_environments.py::test_the_test_of_pettingzoo_passes",
    "Gymnasium": "adapters/test_environments.py::test_the_test_of_gymnasium_passes",
    "any object with select and update": "adapters/test_objects.py::test_an_object_that_thinks_as_ucb_pulls_as_ucb",
    "data frames through the interchange protocol": "simulate/test_interchange.py::test_libraries_read_it",
    "plot_regret: axes, styles, PDF": "report/test_plots.py::test_given_axes_are_used "
    "report/test_plots.py::test_styles_are_those_of_matplotlib report/test_plots.py::test_it_writes_pdf",
    "several runs in one report": "cli/test_report_of_several.py::test_runs_of_one_world_are_compared "
    f"{HOURS}::test_several_runs_in_one_report_from_python",
    "networkx both ways": "adapters/test_graphs_both_ways.py::test_a_graph_comes_back_as_it_was",
    "fm.agent in a notebook": "docs/test_notebook.py::test_every_cell_runs",
    # 9. Start-up
    "lazy imports": "cli/test_start_up.py::test_to_list_needs_nothing_heavy "
    "cli/test_start_up.py::test_a_run_of_what_has_been_run_loads_nothing_heavy_and_leaves_the_files",
    "a tiny run feels instant": "cli/test_start_up.py::test_a_tiny_run_compiles_nothing",
    # 10. Release
    "doctor": "doors/test_doctor.py::test_the_doctor_tells_every_part doors/test_doctor.py::test_it_says_what_is_wrong",
    "one version; SECURITY.md; CITATION.cff": f"{READY}::test_one_version_everywhere "
    f"{READY}::test_security_says_how_to_report_and_what_is_promised",
    "core install measured": f"{READY}::test_the_core_install_is_measured_and_its_largest_parts_are_named",
    "shell completion": "cli/test_completion.py::test_each_shell_has_its_script",
    "constraints with hashes": "release/test_constraints.py::test_every_pin_has_hashes_and_no_file_names_an_index",
    "licences": "doors/test_doctor.py::test_licences_of_all_dependencies_are_listed",
    "nothing that only works on Linux": "cli/test_start_up.py::test_a_simulation_needs_no_module_that_windows_lacks",
}
DRAWN = "doors/drawn/test_drawn.py::test_the_drawn_inputs_come_to_a_result_or_to_one_line"
ROWS["drawn inputs"] = f"{DRAWN} doors/drawn/test_drawn.py::test_every_public_name_has_a_legal_call"


@cache
def names_in(file):
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS)
def test_row(row):
    for place in ROWS[row].split():
        file, _, name = place.partition("::")
        assert name in names_in(file), place
