"""The mathematics: margins, validation, calibration and prediction of models together, under the terms agreed on."""
